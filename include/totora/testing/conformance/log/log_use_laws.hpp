// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/log_storage.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace totora::inline v0::conformance
{

/// The laws of a log that is in use. See `check_log`.
template <typename Storage>
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

    /// A missing entry is no error.
    void a_read_beyond_the_end_is_empty()
    {
        auto* const log = user_.start();
        if (log == nullptr)
            return;
        auto const expect_nothing = [&](Index from, Index up_to, std::string const& what) {
            auto const read = log->read(from, up_to, 1U << 20U);
            user_.expect(read and read->empty() and not log->failure(), "a read beyond the end is empty", what);
        };
        expect_nothing(Index{1}, Index{5}, "In an empty log something was read, or it was a failure.");
        user_.append(*log, Term{1}, 6);
        user_.truncate(*log, Index{5});
        expect_nothing(Index{5}, Index{6}, "What was truncated was read, or it was a failure.");
        expect_nothing(Index{4}, Index{3}, "Something was read backwards, or it was a failure.");
        auto const rest = log->read(Index{4}, Index{9}, 1U << 20U);
        user_.expect(rest and rest->count() == 1, "a read beyond the end is empty",
                     "Of a range that begins in the log, what is there was not given.");
    }

    /// Any order of writes, checked after each: a truncation and what is appended in its place, durable and not.
    void what_replaces_a_suffix_is_read_in_its_place()
    {
        auto* const log = user_.start();
        if (log == nullptr)
            return;
        for (auto term = std::uint64_t{1}; term <= 12; ++term) {
            auto const first = std::min(Index{1 + term % 4}, next(log->last().index));
            if (log->last().index >= first)
                user_.truncate(*log, first);
            auto const size = std::size_t{400} - 30 * term;
            auto const count = 3 + term % 5;
            user_.append(*log, entries_of(Term{term}, first, count, size, 2));
            auto const expect = [&](std::string const& when) {
                auto const all = log->read(first, log->last().index, 1U << 20U);
                user_.expect(log->last() == LogPosition{Term{term}, before(first + count)} and
                                 log->bytes(first, log->last().index) == count * (entry_header_size + size) and all and
                                 terms_of(*all) == std::vector<std::uint64_t>(count, term),
                             "what replaces a suffix is read in its place",
                             "After a truncation and an append the entries before it are read " + when + ".");
            };
            expect("at once");
            if (term % 3 != 0) {
                user_.sync(*log);
                expect("while it becomes durable");
                user_.settle(*log);
                expect("when it is durable");
            }
        }
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
        auto const intact = [&] { return pinned and terms_of(*pinned) == std::vector<std::uint64_t>(5, 1); };
        user_.expect(intact(), "pinned entries do not change", "Entries that were read are others after a truncation.");
        user_.settle(*log);
        user_.call("stop()");
        user_.storage().stop();
        user_.expect(intact(), "pinned entries do not change",
                     "Entries that were read are others after the log has ended.");
    }

    /// A log with a thread of its own wakes the node's when something is durable, and calls nothing else.
    void what_becomes_durable_wakes()
    {
        auto* const log = user_.start();
        if constexpr (requires { log->set_wake(std::function<void()>{}); }) {
            if (log == nullptr)
                return;
            auto const replaced = std::make_shared<std::atomic<std::uint64_t>>();
            auto const woken = std::make_shared<std::atomic<std::uint64_t>>();
            user_.call("set_wake()");
            log->set_wake([replaced] { ++*replaced; });
            expect_wake(*log, *replaced);
            user_.call("set_wake(), another one");
            log->set_wake([woken] { ++*woken; });
            auto const before = replaced->load();
            expect_wake(*log, *woken);
            user_.expect(replaced->load() == before, "a replaced wake-up is called no more",
                         "A wake-up was called after another one had taken its place.");
            log->set_wake([] {});
        }
    }

    void a_failure_is_permanent()
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
                         "A write or sync failed, and failure() does not report it.");
            for (auto times = 0; times < 5; ++times) {
                user_.append(*log, Term{1}, 1);
                user_.sync(*log);
                user_.settle(*log);
                user_.expect(log->failure().has_value() and log->durable().through() == durable,
                             "a failure is permanent",
                             "After a failed write or sync, failure() was forgotten or durable() moved on.");
            }
        }
    }

private:
    void expect_wake(typename Storage::Log& log, std::atomic<std::uint64_t> const& woken)
    {
        auto const before = woken.load();
        user_.append(log, Term{1}, 1);
        user_.sync(log);
        user_.settle(log);
        if (log.durable().through().value < user_.written())
            return; // Another law is broken.
        for (auto waited = 0; waited < 2500 and woken.load() == before; ++waited)
            user_.let_work();
        user_.expect(woken.load() > before, "what becomes durable wakes",
                     "A write became durable, and the wake-up was not called.");
    }

    [[nodiscard]] static std::vector<std::uint64_t> terms_of(Entries const& entries)
    {
        auto terms = std::vector<std::uint64_t>{};
        for (auto const& entry : whole_entries(entries))
            terms.push_back(is_intact(entry) ? entry.term.value : 0);
        return terms;
    }

    LogUser<Storage>& user_;
};

} // namespace totora::inline v0::conformance
