// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/simulate/burdens.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/checks/checking_snapshots.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace totora::inline v0::simulate
{

/// Reports to the checks every entry that is appended to a log, and checks whether a leader accepts too much. It wraps
/// a log that outlives it.
///
/// It offers the snapshots of that log, and no other refinement: seeds give the same runs with logs that read entries back from disk and
/// with those that do not.
template <durable_log Log>
class CheckingLog : public CheckingSnapshots<Log>
{
public:
    CheckingLog(Log& log, Burdens& burdens, Checks& checks, std::size_t server)
        : CheckingSnapshots<Log>(log, burdens, checks, server), log_(log), burdens_(burdens), checks_(checks),
          server_(server)
    {}

    /// The state of the node that owns it, which outlives the last append, and how much that may leave uncommitted.
    void belongs_to(State const& state, std::uint64_t uncommitted_bytes_max)
    {
        state_ = &state;
        uncommitted_bytes_max_ = uncommitted_bytes_max;
    }

    [[nodiscard]] Result<Recovered, LogError> recover()
    {
        auto found = log_.recover();
        if (found)
            checks_.recovered(server_, *found);
        return found;
    }

    void save_vote(WriteNumber write, Term term, std::optional<ServerId> vote)
    {
        burdens_.call();
        expect_reserve();
        checks_.vote_written(server_, write, term, vote.value_or(nobody));
        log_.save_vote(write, term, vote);
    }

    void append(WriteNumber write, Entries const& entries)
    {
        burdens_.call();
        checks_.expect(may_accept(entries),
                       "what waits for its commitment or for the disk stays below uncommitted_bytes_max");
        expect_reserve();
        auto const bytes = entries.bytes();
        checks_.expect(bytes <= fits_bytes_ or is_of_leader(entries),
                       "entries are appended to a log that reported room for them");
        fits_bytes_ -= std::min(fits_bytes_, bytes);
        checks_.appended(server_, log_.last(), entries);
        if (not is_leader(*state_))
            checks_.entries_stored(entries.bytes());
        log_.append(write, entries);
        checks_.append_written(server_, write, log_.last());
    }

    void truncate(WriteNumber write, Index index)
    {
        burdens_.call();
        expect_reserve();
        auto const last = before(index);
        checks_.truncated(server_, {state_->log.term_at(last).value_or(Term{}), last});
        log_.truncate(write, index);
    }

    void save_commit(Index index)
    {
        checks_.relies_on(server_, index);
        log_.save_commit(index);
    }

    void sync() { log_.sync(); }
    void close() { log_.close(); }

    [[nodiscard]] Durable durable()
    {
        auto const durable = log_.durable();
        checks_.durable_reported(server_, durable.through());
        this->confirmed(durable.through());
        return durable;
    }

    [[nodiscard]] std::optional<LogError> failure() const { return log_.failure(); }
    [[nodiscard]] LogPosition             last() const { return log_.last(); }
    [[nodiscard]] std::uint64_t           bytes(Index first, Index up_to) const { return log_.bytes(first, up_to); }

    [[nodiscard]] bool has_room(std::uint64_t bytes_more) const
    {
        auto const fits = burdens_.fits(bytes_more) and log_.has_room(bytes_more);
        if (fits)
            fits_bytes_ = std::max(fits_bytes_, bytes_more);
        else
            fits_bytes_ = std::min(fits_bytes_, bytes_more - std::min<std::uint64_t>(bytes_more, 1));
        has_reserve_ = fits or (bytes_more > 0 and has_reserve_);
        notice_lack(bytes_more, fits);
        return fits;
    }

    [[nodiscard]] Result<Entries, LogError> read(Index from, Index up_to, std::uint64_t bytes_max)
    {
        burdens_.call();
        return log_.read(from, up_to, bytes_max);
    }

private:
    void expect_reserve()
    {
        checks_.expect(has_reserve_, "a server whose log has not even its reserve writes nothing");
    }

    /// Lack of room ends when as much fits as did not.
    void notice_lack(std::uint64_t bytes_more, bool fits) const
    {
        if (not fits) {
            lacked_bytes_ = std::max(lacked_bytes_, bytes_more);
            lacks_since_us_ = lacks_since_us_.value_or(burdens_.local_us());
        } else if (bytes_more >= lacked_bytes_) {
            lacked_bytes_ = 0;
            lacks_since_us_.reset();
        }
        checks_.lacks_room(server_, lacks_since_us_ ? burdens_.local_us() - *lacks_since_us_ : 0);
    }

    /// A leader makes them, and asks for no room: the first entry of a term, and configurations.
    [[nodiscard]] static bool is_of_leader(Entries const& entries)
    {
        return (*entries.begin()).kind != EntryKind::command;
    }

    /// One proposal alone may be larger than the bound.
    [[nodiscard]] bool may_accept(Entries const& entries) const
    {
        auto const kept = std::min(state_->commit_index, state_->writes.durable_index);
        auto const waiting = log_.bytes(next(kept), log_.last().index);
        return not is_leader(*state_) or waiting == 0 or is_of_leader(entries) or
               waiting + entries.bytes() <= uncommitted_bytes_max_;
    }

    Log&          log_;
    Burdens&      burdens_;
    Checks&       checks_;
    std::size_t   server_;
    State const*  state_ = nullptr;
    std::uint64_t uncommitted_bytes_max_ = 0;

    // What the log has reported of its room.
    mutable std::uint64_t                fits_bytes_ = 0;
    mutable bool                         has_reserve_ = true;
    mutable std::uint64_t                lacked_bytes_ = 0;
    mutable std::optional<std::uint64_t> lacks_since_us_;
};

} // namespace totora::inline v0::simulate
