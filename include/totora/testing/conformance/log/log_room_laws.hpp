// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <cstdint>
#include <limits>
#include <string>

namespace totora::inline v0::conformance
{

/// The laws of a log whose disk is full for a while. See `check_log`.
template <typename Storage>
class LogRoomLaws
{
public:
    explicit LogRoomLaws(LogUser<Storage>& user) : user_(user) {}

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
            user_.expect(not log->has_room(200), "no room is refused", "The disk is full, and has_room() stays true.");
            for (auto const more : {std::uint64_t{201}, std::uint64_t{1} << 20U, std::uint64_t{1} << 40U,
                                    std::numeric_limits<std::uint64_t>::max()})
                user_.expect(log->has_room(200) or not log->has_room(more), "no room is refused",
                             "There is no room for 200 bytes, but for " + std::to_string(more) + ".");
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
            if (not has_room)
                return;
            user_.append(*log, Term{300}, 2);
            user_.sync(*log);
            user_.settle(*log);
            user_.expect(log->durable().through().value == user_.written(), "no room can end",
                         "There is space again, and what is written does not become durable.");
        }
    }

    /// Fills the log in appends as large as it reports room for.
    void what_there_is_room_for_is_written()
    {
        if constexpr (requires { user_.storage().fill(), user_.storage().free(); }) {
            auto* const log = user_.start();
            if (log == nullptr)
                return;
            user_.call("fill()");
            user_.storage().fill();
            for (auto times = 0; times < 200; ++times) {
                auto bytes = std::uint64_t{64} << 10U;
                while (bytes > entry_header_size and not log->has_room(bytes))
                    bytes -= bytes / 8 + 1;
                if (bytes <= entry_header_size or log->failure())
                    return;
                user_.append(*log, entries_of(Term{1}, next(log->last().index), 1, bytes - entry_header_size));
                user_.sync(*log);
                user_.settle(*log);
                if (log->failure())
                    return; // It keeps no space in advance: a full disk is a failed write, which is final.
                user_.expect(log->durable().through().value == user_.written(), "what there is room for is written",
                             "has_room(" + std::to_string(bytes) +
                                 ") was true, and an append of as many bytes neither " + "became durable nor failed.");
                if (log->durable().through().value != user_.written() or not takes_a_term(*log, 100 + times))
                    return;
            }
        }
    }

private:
    /// Elections continue while the disk is full, for as long as the log reports room for them.
    [[nodiscard]] bool a_full_log_takes_terms(typename Storage::Log& log)
    {
        for (auto term = 2; term < 200 and log.has_room(0); ++term)
            if (not takes_a_term(log, term))
                return false;
        return true;
    }

    /// What an election writes: a term and a vote, a truncation, and the entry with which a leader begins.
    [[nodiscard]] bool takes_a_term(typename Storage::Log& log, int number)
    {
        auto const term = Term{static_cast<std::uint64_t>(number)};
        auto const write = [&](auto call) {
            call();
            log.sync();
            user_.settle(log);
        };
        write([&] { log.save_vote(user_.next_write(), term, ServerId{1}); });
        write([&] { log.truncate(user_.next_write(), log.last().index); });
        write([&] { user_.append(log, entries_of(term, next(log.last().index), 1, 0)); });
        auto const all_durable = not log.failure() and log.durable().through().value == user_.written();
        user_.expect(all_durable, "room for 0 bytes is room for a term",
                     "There was room, and then a vote, a truncation and an empty entry could not be written.");
        return all_durable;
    }

    LogUser<Storage>& user_;
};

} // namespace totora::inline v0::conformance
