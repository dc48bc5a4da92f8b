// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/progress.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/state_machine.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/simulate/burdens.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/network/links.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::simulate
{

// Policies that wrap others, which outlive them, and tell the checks what they saw. The log offers no refinement of what it wraps:
// seeds give the same runs with logs that read entries back from disk and with those that do not.

/// Tells of every entry that goes into a log, and looks whether a leader takes on too much.
template <durable_log Log>
class CheckingLog
{
public:
    CheckingLog(Log& log, Burdens& burdens, Checks& checks, std::size_t server)
        : log_(log), burdens_(burdens), checks_(checks), server_(server)
    {}

    /// The state of the node that it belongs to, which outlives the last append, and how much that may leave uncommitted.
    void belongs_to(State const& state, std::uint64_t uncommitted_bytes_max)
    {
        state_ = &state;
        uncommitted_bytes_max_ = uncommitted_bytes_max;
    }

    [[nodiscard]] Result<Recovered, LogError> recover() { return log_.recover(); }

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
        checks_.expect(may_take_on(entries),
                       "what waits for its commitment or for the disk stays below uncommitted_bytes_max");
        expect_reserve();
        auto const bytes = entries.bytes();
        checks_.expect(bytes <= fits_bytes_ or (*entries.begin()).kind == EntryKind::no_op,
                       "entries are put into a log that has said that they fit");
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

    /// A lack ends when as much fits as did not.
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

    /// One proposal alone may be larger than the bound, and the entry with which a term begins goes in any case.
    [[nodiscard]] bool may_take_on(Entries const& entries) const
    {
        auto const kept = std::min(state_->commit_index, state_->writes.durable_index);
        auto const waiting = log_.bytes(next(kept), log_.last().index);
        return not is_leader(*state_) or waiting == 0 or (*entries.begin()).kind == EntryKind::no_op or
               waiting + entries.bytes() <= uncommitted_bytes_max_;
    }

    Log&          log_;
    Burdens&      burdens_;
    Checks&       checks_;
    std::size_t   server_;
    State const*  state_ = nullptr;
    std::uint64_t uncommitted_bytes_max_ = 0;

    // What the log has said of its room.
    mutable std::uint64_t                fits_bytes_ = 0;
    mutable bool                         has_reserve_ = true;
    mutable std::uint64_t                lacked_bytes_ = 0;
    mutable std::optional<std::uint64_t> lacks_since_us_;
};

/// A machine that can be simulated: machines are compared by their digests, which differ if what they did differs.
// clang-format off: version 14 cannot format requires-expressions.
template <typename T>
concept simulated_machine = state_machine<T> and std::default_initializable<T> and requires(T const& machine)
{
    {
        machine.digest()
        } -> std::convertible_to<std::uint64_t>;
};
// clang-format on

/// Applies every command that is committed once and alone, in order: what any machine must come to, however its commands are cut
/// into batches.
template <simulated_machine Machine>
class OneByOne
{
public:
    /// Applies a command, if it is the next one that was not applied yet.
    void apply(EntryView const& command, Checks& checks)
    {
        if (command.index <= applied_)
            return;
        applied_ = command.index;
        responses_.clear();
        machine_.apply({&command, 1}, responses_);
        checks.machine_is(command.index, machine_.digest());
    }

private:
    Machine                                 machine_;
    Index                                   applied_;
    std::vector<typename Machine::Response> responses_;
};

/// Tells of every command that a machine applies. The number of a command stands in the first eight bytes of its payload.
template <simulated_machine Machine>
class CheckingMachine : public StateMachineAdapter<Machine>
{
public:
    using Response = typename Machine::Response;

    CheckingMachine(Machine& machine, OneByOne<Machine>& reference, Burdens& burdens, Checks& checks,
                    std::size_t server)
        : StateMachineAdapter<Machine>(machine), machine_(machine), reference_(reference), burdens_(burdens),
          checks_(checks), server_(server), applied_(machine.applied_index())
    {}

    /// The state of the node that it belongs to, which outlives the last command.
    void belongs_to(State const& state) { state_ = &state; }

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        burdens_.call();
        burdens_.apply(commands.size());
        checks_.advance_commit_to(server_, *state_);
        for (auto const& command : commands) {
            checks_.expect(command.index > applied_ and command.index <= state_->commit_index,
                           "a machine is given what is committed, in order, once");
            applied_ = command.index;
            if (command.payload.size() < sizeof(std::uint64_t))
                return checks_.fail("the number of a command stands in the first eight bytes of its payload");
            checks_.relies_on(server_, command.index);
            checks_.applied(command, get<std::uint64_t>(command.payload.data()));
            reference_.apply(command, checks_);
        }
        machine_.apply(commands, responses);
        checks_.machine_is(applied_, machine_.digest());
    }

private:
    Machine&           machine_;
    OneByOne<Machine>& reference_;
    Burdens&           burdens_;
    Checks&            checks_;
    std::size_t        server_;
    Index              applied_;
    State const*       state_ = nullptr;
};

/// Tells of every message that a server says, and looks whether a leader sends too much.
template <message_transport Transport, typename Log>
class CheckingTransport : public TransportAdapter<Transport>
{
public:
    CheckingTransport(Transport& transport, Log const& log, Burdens& burdens, Checks& checks, std::size_t server)
        : TransportAdapter<Transport>(transport), transport_(transport), log_(log), burdens_(burdens), checks_(checks),
          server_(server)
    {}

    /// The state of the node that it belongs to, which outlives the last message, and how much it may have on its way.
    void belongs_to(State const& state, std::uint64_t window_bytes)
    {
        state_ = &state;
        window_bytes_ = window_bytes;
    }

    void send(Released const& message, Entries const& entries)
    {
        burdens_.call();
        checks_.sent(server_, message.to(), message.rpc());
        if (not checks_.is_member(message.to()))
            return;
        checks_.entries_sent(entries.bytes());
        if (auto const* leader = std::get_if<Leader>(&state_->role); leader != nullptr and not entries.empty())
            if (auto const* progress = find_progress(*leader, message.to()))
                look_at(*progress, std::get_if<AppendEntries>(&message.rpc())->entries);
        transport_.send(message, entries);
    }

    [[nodiscard]] std::uint64_t bytes_taken(ServerId server)
    {
        auto const bytes = std::uint64_t{transport_.bytes_taken(server)};
        checks_.link_has_taken(server_, server, bytes);
        return bytes;
    }

    void renew(ServerId server)
    {
        checks_.link_renewed(server_, server, state_->current_term);
        transport_.renew(server);
    }

private:
    /// What this leader has sent a follower.
    struct Sent
    {
        Term  term;   ///< Of this leader.
        Index lowest; ///< Entry.
    };

    void look_at(Progress const& progress, Run const& run)
    {
        auto& sent = sent_[progress.server.value - 1];
        if (sent.term != state_->current_term)
            sent = {state_->current_term, run.first};
        sent.lowest = std::min(sent.lowest, run.first);
        auto const last = last_of(run);
        auto const first = std::max(next(progress.match), sent.lowest);
        checks_.expect(last < first or (last.value - first.value < state_->settings.window and
                                        (last == first or log_.bytes(first, last) <= window_bytes_)),
                       "what was sent to a follower and is not matched is bounded by the window");
        checks_.expect(not progress.no_room, "a follower without room is sent no entries");
        checks_.append_sent(progress.server, run);
        checks_.entries_sent_to(server_, progress.server, state_->current_term);
    }

    Transport&                              transport_;
    Log const&                              log_;
    Burdens&                                burdens_;
    Checks&                                 checks_;
    std::size_t                             server_;
    State const*                            state_ = nullptr;
    std::uint64_t                           window_bytes_ = 0;
    std::array<Sent, simulated_servers_max> sent_{};
};

} // namespace totora::inline v0::simulate
