// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/types.hpp"
#include "totora/policy/entry.hpp"
#include "totora/testing/conformance/log_storage.hpp"
#include "totora/testing/conformance/log_user.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace totora::conformance
{

/// The laws of a log that is in use. See `check_log`.
template <log_storage Storage>
class LogUseLaws
{
public:
    explicit LogUseLaws(LogUser<Storage>& user) : user_(user) {}

    void what_is_written_is_seen_at_once()
    {
        auto* const log = user_.start();
        if (log == nullptr)
            return;
        user_.append(*log, Term{1}, 6);
        user_.append(*log, Term{2}, 4);
        user_.truncate(*log, Index{9});
        auto const each = entry_header_size + std::size_t{10};
        user_.expect(log->last() == LogPosition{Term{2}, Index{8}}, "what is written is seen at once",
                     "last() does not give the last entry that was appended and not truncated.");
        user_.expect(log->bytes(Index{3}, Index{7}) == 5 * each and log->bytes(Index{7}, Index{3}) == 0,
                     "what is written is seen at once", "bytes() is not the size of the entries that were written.");
        auto const all = log->read(Index{2}, Index{8}, std::numeric_limits<std::uint64_t>::max());
        user_.expect(all and terms_of(*all) == std::vector<std::uint64_t>{1, 1, 1, 1, 1, 2, 2},
                     "what is written is seen at once", "read() does not give the entries that were written.");
        auto const some = log->read(Index{2}, Index{8}, 3 * each + 1);
        auto const one = log->read(Index{2}, Index{8}, 1);
        user_.expect(
            some and some->count() == 3 and one and one->count() == 1, "a read is cut, but gives one entry",
            "With a limit of bytes for three entries, or for less than one, read() gave another number of them.");
    }

    void what_is_synced_becomes_durable()
    {
        auto* const log = user_.start();
        if (log == nullptr)
            return;
        auto durable = std::uint64_t{0};
        for (auto term = std::uint64_t{1}; term <= 10; ++term) {
            user_.vote(*log, Term{term});
            user_.append(*log, Term{term}, 2);
            user_.sync(*log);
            for (auto waited = 0; waited < 2500; ++waited) {
                auto const now = log->durable().through().value;
                user_.expect(now <= user_.written(), "durable names what was written",
                             "durable() names a write that was not made.");
                user_.expect(now >= durable, "durable never goes back", "durable() named a later write before.");
                durable = now;
                if (now >= user_.written())
                    break;
                user_.let_work();
            }
            user_.expect(durable >= user_.written(), "what is synced becomes durable",
                         "Seconds after sync(), durable() does not name the newest write.");
            if (durable < user_.written())
                return;
        }
    }

    void pinned_entries_do_not_change()
    {
        auto* const log = user_.start();
        if (log == nullptr)
            return;
        user_.append(*log, Term{1}, 5);
        auto const pinned = log->read(Index{1}, Index{5}, 1U << 20U);
        user_.truncate(*log, Index{1});
        for (auto times = 0; times < 20; ++times)
            user_.append(*log, Term{2}, 5);
        user_.sync(*log);
        auto intact = pinned.has_value() and terms_of(*pinned) == std::vector<std::uint64_t>(5, 1);
        user_.expect(intact, "pinned entries do not change", "Entries that were read are others after a truncation.");
    }

    void a_failure_is_for_ever()
    {
        if constexpr (requires { user_.storage().fail(); }) {
            auto* const log = user_.start();
            if (log == nullptr)
                return;
            user_.append(*log, Term{1}, 3);
            user_.sync(*log);
            user_.settle(*log);
            auto const durable = log->durable().through();
            user_.call("fail()");
            user_.storage().fail();
            user_.append(*log, Term{1}, 3);
            user_.sync(*log);
            user_.settle(*log);
            user_.expect(log->failure().has_value(), "a failed write is reported",
                         "A write or sync failed, and failure() does not say so.");
            for (auto times = 0; times < 5; ++times) {
                user_.append(*log, Term{1}, 1);
                user_.sync(*log);
                user_.settle(*log);
                user_.expect(log->failure().has_value() and log->durable().through() == durable,
                             "a failure is for ever",
                             "After a failed write or sync, failure() was forgotten or durable() moved on.");
            }
        }
    }

    void no_room_can_end()
    {
        if constexpr (requires { user_.storage().fill(), user_.storage().free(); }) {
            auto* const log = user_.start();
            if (log == nullptr)
                return;
            user_.call("fill()");
            user_.storage().fill();
            for (auto times = 0; times < 2000 and log->has_room(200) and not log->failure(); ++times) {
                user_.append(*log, Term{1}, 1);
                log->sync();
                user_.settle(*log);
                if (log->durable().through().value < user_.written())
                    return; // Another law is broken.
            }
            if (log->failure())
                return; // It keeps no space in advance: a full disk is a failed write, which is final.
            user_.expect(not log->has_room(200), "no room is refused",
                         "The disk is full, and has_room() is true for ever.");
            if (not a_full_log_takes_terms(*log))
                return;
            user_.call("free()");
            user_.storage().free();
            auto has_room = false;
            for (auto waited = 0; waited < 200 and not has_room; ++waited) {
                user_.let_work();
                has_room = log->has_room(200);
                log->sync();
            }
            user_.expect(has_room, "no room can end", "There is space again, and has_room() stays false.");
        }
    }

private:
    /// Elections go on while the disk is full, for as long as the log says that there is room for them.
    [[nodiscard]] bool a_full_log_takes_terms(typename Storage::Log& log)
    {
        for (auto term = std::uint64_t{2}; term < 200 and log.has_room(0); ++term) {
            log.save_vote(user_.next_write(), Term{term}, ServerId{1});
            log.sync();
            user_.settle(log);
            log.truncate(user_.next_write(), log.last().index);
            log.sync();
            user_.settle(log);
            log.append(user_.next_write(), entries_of(Term{term}, next(log.last().index), 1, 0));
            log.sync();
            user_.settle(log);
            auto const all_durable = not log.failure() and log.durable().through().value == user_.written();
            user_.expect(
                all_durable, "room for 0 bytes is room for a term",
                "has_room(0) was true, and then a vote, a truncation and an empty entry could not be written.");
            if (not all_durable)
                return false;
        }
        return true;
    }

    [[nodiscard]] static std::vector<std::uint64_t> terms_of(Entries const& entries)
    {
        auto terms = std::vector<std::uint64_t>{};
        for (auto const entry : entries)
            terms.push_back(is_intact(entry) ? entry.term.value : 0);
        return terms;
    }

    LogUser<Storage>& user_;
};

} // namespace totora::conformance
