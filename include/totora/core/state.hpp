// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/role.hpp"
#include "totora/core/values/abilities.hpp"
#include "totora/core/values/alarms.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/membership_change.hpp"
#include "totora/core/values/progress_flow.hpp"
#include "totora/core/values/quorum.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/core/values/write_pipeline.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// Timing and flow of a server. The same on every server of a cluster, or nearly so.
struct Settings
{
    Delay         election{300, 600}; ///< The election timeout (§5.2, §5.6).
    std::uint64_t heartbeat_ms = 50;  ///< Twice this is less than the least election timeout.
    std::uint64_t append_entries_max =
        4096;                     ///< Entries in one append, at least 1; the shell cuts it further, by bytes.
    std::uint64_t window = 65536; ///< Entries sent to one follower that it has not acknowledged, at least 1.
    /// For how long after its start a server waits up to three times as long for a leader, if it has not yet applied what it
    /// knew to be committed; 0: it does not.
    std::uint64_t replay_grace_ms = 60'000;
    /// How long its oldest write may take before a disk counts as hanging; 0: as long as the election maximum.
    std::uint64_t storage_stall_ms = 0;
    bool          pre_vote = true; ///< Dissertation §9.6.
    bool          sticky = true;   ///< Who has a leader ignores candidates (dissertation §4.2.3).
    bool watch_storage = true;     ///< A server whose disk hangs does not campaign, nor lead where others can (D6).
    bool check_quorum = true; ///< A leader that no quorum answers steps down (dissertation §6.2). Needed by `sticky`.
    Abilities can;            ///< What this server can, at least what its cluster has agreed on.

    friend constexpr bool operator==(Settings const&, Settings const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("election", self.election);
        visit("heartbeat_ms", self.heartbeat_ms);
        visit("append_entries_max", self.append_entries_max);
        visit("window", self.window);
        visit("pre_vote", self.pre_vote);
        visit("sticky", self.sticky);
        visit("replay_grace_ms", self.replay_grace_ms);
        visit("watch_storage", self.watch_storage);
        visit("storage_stall_ms", self.storage_stall_ms);
        visit("check_quorum", self.check_quorum);
        visit("can", self.can);
    }
};
static_assert(lists_its_fields<Settings>());

/// Whether a leader that is cut off steps down. Servers that are sticky elect no other while they receive its messages, also if
/// it receives none of theirs: then it must step down itself (dissertation §6.2).
[[nodiscard]] constexpr bool gives_up_when_cut_off(Settings const& settings)
{
    return settings.check_quorum or not settings.sticky;
}

/// The longest election timeout: four of them are still a number of milliseconds.
inline constexpr std::uint64_t election_ms_max = number_max / 4;

/// Whether settings make sense together.
[[nodiscard]] constexpr bool is_sound(Settings const& settings)
{
    return settings.heartbeat_ms > 0 and settings.election.at_least_ms <= settings.election.at_most_ms and
           settings.election.at_most_ms <= election_ms_max and settings.storage_stall_ms <= number_max and
           settings.replay_grace_ms <= number_max and
           settings.heartbeat_ms < settings.election.at_least_ms / 2 + settings.election.at_least_ms % 2 and
           settings.append_entries_max > 0 and settings.window > 0 and gives_up_when_cut_off(settings);
}

/// Why a server is out of service: the condition that did not hold and its line, or what halted it. Without a condition nothing did.
struct FaultSite
{
    std::string_view condition;
    std::uint32_t    line = 0;

    [[nodiscard]] constexpr explicit operator bool() const { return not condition.empty(); }

    friend constexpr bool operator==(FaultSite const&, FaultSite const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("condition", self.condition);
        visit("line", self.line);
    }
};
static_assert(lists_its_fields<FaultSite>());

/// One server, entire. Figure 2, "State": a regular value, and equal values behave equally.
struct State
{
    Settings settings;
    Member   own; ///< This server: its id and incarnation.

    // Persistent state: what was written, durable or not yet.
    Term                    current_term;
    std::optional<ServerId> voted_for;
    TermRuns                log;
    Configurations          configurations; ///< The newest in the log, and the one before.
    WritePipeline           writes;         ///< How far the disk is with all this.

    // Volatile state.
    Index commit_index;
    Index apply_index; ///< The highest index handed to the state machine (`lastApplied`).
    Role  role;
    /// The voters that have granted what a candidate or pre-candidate asks for; else empty.
    ServerSet votes;
    /// What a leader knows of the other members of the configuration; else empty.
    std::vector<Progress> followers;
    MembershipChange      membership;     ///< A leader's change of the members; else idle.
    LogPosition           not_a_member;   ///< As of this entry this server is none, as others have notified it.
    Round                 pre_vote_round; ///< The newest pre-vote of this server.
    Alarms                alarms;         ///< Which rings count.
    SnapshotReception     reception;      ///< The snapshot that a follower is receiving.
    LogRoom               room{};         ///< What the log has room for.
    bool leader_recently_active = false;  ///< A leader sent something within the minimum election timeout.
    bool replaying = false; ///< It started, and has not yet applied what it knew to be committed: others should lead.

    FaultSite fault; ///< Set when an invariant failed or the shell halted it: the server takes no further step.

    friend constexpr bool operator==(State const&, State const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("settings", self.settings);
        visit("own", self.own);
        visit("current_term", self.current_term);
        visit("voted_for", self.voted_for);
        visit("log", self.log);
        visit("configurations", self.configurations);
        visit("writes", self.writes);
        visit("commit_index", self.commit_index);
        visit("apply_index", self.apply_index);
        visit("role", self.role);
        visit("votes", self.votes);
        visit("followers", self.followers);
        visit("membership", self.membership);
        visit("not_a_member", self.not_a_member);
        visit("pre_vote_round", self.pre_vote_round);
        visit("alarms", self.alarms);
        visit("reception", self.reception);
        visit("room", self.room);
        visit("leader_recently_active", self.leader_recently_active);
        visit("replaying", self.replaying);
        visit("fault", self.fault);
    }
};
static_assert(lists_its_fields<State>());

// What grows with the cluster and only one role needs (`votes`, `followers`) lies beside the role and out of line: a follower's
// state is moved and compared often, and alternatives of a variant must be trivially copyable for clang to evaluate them.
static_assert(sizeof(State) <= 1472, "a state is at most 1.4375 KiB");

/// What survives a restart, and where to begin: all that a state is made from.
struct RecoveredState
{
    Term                            current_term;
    std::optional<ServerId>         voted_for;
    TermRuns                        log;
    Configuration                   configuration;
    Configuration                   previous_configuration;
    Index                           commit_index;   ///< The saved one; it may lag, never lead, what was durable.
    Index                           applied_index;  ///< How far the state machine is, durably; 0 if it keeps nothing.
    std::optional<SnapshotReceived> received = {};  ///< The newest durable one, if its install may not be finished.
    SnapshotReception               reception = {}; ///< What of a snapshot is durable and verified, to be gone on with.

    friend constexpr bool operator==(RecoveredState const&, RecoveredState const&) = default;
};

[[nodiscard]] constexpr LogPosition last_position(State const& state) { return state.log.last(); }
[[nodiscard]] constexpr Index       last_index(State const& state) { return state.log.last().index; }

/// Whether the log has no room for entries.
[[nodiscard]] constexpr bool lacks_room(State const& state) { return state.room != LogRoom::enough; }

/// What a leader knows of a server; null if it is not a member, or this server does not lead.
[[nodiscard]] constexpr Progress* find_progress(State& state, ServerId server)
{
    for (auto& progress : state.followers)
        if (progress.server == server)
            return &progress;
    return nullptr;
}

[[nodiscard]] constexpr Progress const* find_progress(State const& state, ServerId server)
{
    for (auto const& progress : state.followers)
        if (progress.server == server)
            return &progress;
    return nullptr;
}

[[nodiscard]] constexpr bool is_leader(State const& state) { return std::holds_alternative<Leader>(state.role); }

/// The leader of the current term as far as this server knows, `nobody` if it does not.
[[nodiscard]] constexpr ServerId known_leader(State const& state)
{
    if (is_leader(state))
        return state.own.id;
    auto const* follower = std::get_if<Follower>(&state.role);
    return follower != nullptr ? follower->leader : nobody;
}

/// Whether the cluster's log has admitted this server.
///
/// Differs: dissertation §4.1 lets any server vote. An empty directory may have made promises that are lost: it withholds its vote
/// until a configuration names it (case 86).
[[nodiscard]] constexpr bool is_admitted(State const& state) { return state.configurations.admit(state.own); }

/// Whether this server may campaign. One whose removal is not known to be committed may, and does not count itself: without it there may
/// be no quorum (dissertation §4.2.2).
[[nodiscard]] constexpr bool is_electable(State const& state)
{
    auto const& [in_force, previous] = state.configurations;
    return is_voter(in_force, state.own) or (in_force.index > state.commit_index and is_voter(previous, state.own));
}

/// The entry of the configuration in force; of a compacted one the end of what is compacted.
[[nodiscard]] constexpr LogPosition configuration_position(State const& state)
{
    auto const index = state.configurations.in_force.index;
    if (auto const term = state.log.term_at(index))
        return {*term, index};
    return state.log.base();
}

/// Whether this server is no member any more, as others have notified it, as of a later entry than its own configuration. It erases nothing, and
/// is let in again by a configuration that names it (case 101).
[[nodiscard]] constexpr bool was_removed(State const& state)
{
    return configuration_position(state) < state.not_a_member;
}

/// What the cluster has agreed on, as far as this server knows.
[[nodiscard]] constexpr Abilities const& agreed(State const& state)
{
    auto const& [in_force, previous] = state.configurations;
    return in_force.index <= state.commit_index ? in_force.agreed : previous.agreed;
}

/// Stops the compiler in a proof; defined so that a program links where an invariant is broken at run time.
inline void an_invariant_is_broken_in_a_proof() {}

/// Takes a server out of service: it takes no further step. The first reason is kept.
constexpr void fail_stop(State& state, FaultSite site)
{
    if (not state.fault)
        state.fault = site;
}

/// Our own mistakes: what no message from outside may ever cause. In a proof the compile fails; at run time the
/// server is fail-stopped, and the step has no effect but `failed`: a server whose state is not sound must not vote.
#define TOTORA_INVARIANT(state, condition)                                                                             \
    do {                                                                                                               \
        if (not(condition)) {                                                                                          \
            if (std::is_constant_evaluated())                                                                          \
                ::totora::an_invariant_is_broken_in_a_proof();                                                         \
            ::totora::fail_stop(state, ::totora::FaultSite{#condition, __LINE__});                                     \
        }                                                                                                              \
    } while (false)

} // namespace totora::inline v0

namespace totora::inline v0::core
{

/// Replaces the role, and clears what only the previous one needed.
constexpr void change_role(State& state, Role const& role)
{
    state.role = role;
    state.votes.clear();
    state.followers.clear();
    if (state.membership.is_under_way())
        state.membership = MembershipChange{};
}

} // namespace totora::inline v0::core
