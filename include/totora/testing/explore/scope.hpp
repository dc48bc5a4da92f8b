// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/abilities.hpp"
#include "totora/core/values/configuration.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace totora::inline v0::explore
{

/// How many servers a scope can have: 120 ways to permute their ids.
inline constexpr std::size_t explored_servers_max = 5;

/// A bound that does not bind.
inline constexpr std::uint32_t any_number = 15;

/// What makes an exploration smaller. Each gives the reason why it loses nothing; each can be disabled.
struct Reductions
{
    /// States that differ only by a permutation of S1, S2, ... are one. The core compares ids for equality alone (the
    /// order of a configuration decides only in which order messages are made, and the network forgets it).
    bool symmetry = true;
    /// Numbers that only count are kept relative to what they are compared with (normal_form.hpp).
    bool numbers = true;
    /// What a disabled feature keeps is forgotten (normal_form.hpp).
    bool unused = true;
    /// Messages that can never again change anything are dropped (irrelevant_messages.hpp).
    bool irrelevant_messages = true;
    /// Requests of terms below their receiver's are subsumed (irrelevant_messages.hpp).
    bool stale_requests = true;
    /// A delivery that changes nothing and sends nothing is no transition: the message may as well stay in flight
    /// permanently.
    bool idle_deliveries = true;
    /// Where no server can crash any more, terms and votes are durable in the step after which they are the oldest
    /// write. All that a write of them holds back is messages, which may as well be late in flight, and a candidate's
    /// own vote, which counts for nothing before its requests have left; where members change, a candidate that needs no other vote
    /// waits for its own all the same. (A vote that was not durable when it left is
    /// found in the step that sent it.)
    bool votes_at_once = true;

    friend constexpr bool operator==(Reductions const&, Reductions const&) = default;
};

/// What an exploration covers: every interleaving of events within these bounds, each at most `any_number - 1`, or
/// `any_number` for no bound.
///
/// Messages overtake each other. A loss needs no transition, since a message may stay in flight permanently; only where
/// `in_flight` bounds their number it is one.
///
/// A scope in which neither `terms` nor `elections` is bounded has no end. Features are disabled by default.
struct Scope
{
    std::string name;
    std::size_t servers = 3;
    std::size_t voters = 0; ///< The first members; 0: all. The other servers are joiners, which know no configuration.
    std::size_t candidates = 0;           ///< So many of the first servers campaign; 0: all.
    std::uint64_t terms = any_number;     ///< No server campaigns for a higher term.
    std::uint32_t elections = any_number; ///< Campaigns, pre-votes included.
    std::uint32_t proposals = 0;          ///< Of one entry each, beside the leaders' own.
    std::uint32_t crashes = 0;
    std::uint32_t heartbeats = 0;
    std::uint32_t reads = 0;
    std::uint32_t snapshots = 0;      ///< Taken by servers of what they have applied.
    std::uint32_t damages = 0;        ///< Of snapshots that were received whole.
    std::uint64_t snapshot_bytes = 2; ///< Of each snapshot; a chunk is one byte.
    std::uint32_t changes = 0;        ///< Of the members, each to one of `targets`.
    std::uint32_t cancels = 0;        ///< Of changes.
    std::uint32_t catch_ups = 0;      ///< Rings of the alarm of that name.
    std::uint32_t transfers = 0;      ///< Of the lead, each to any other server.
    std::uint32_t announcements = 0;  ///< To leaders, of what servers can: all can the next version of the machine.
    std::uint32_t wipes = 0;          ///< Losses of the last server's disk, which begins again as another life.
    std::uint32_t duplicates = any_number; ///< Deliveries after which the message is still in flight.
    std::size_t   in_flight = 0;           ///< Messages in flight; 0 if there is no bound.
    std::uint64_t entries_per_append = 4096;
    bool          pre_vote = false;
    bool          sticky = false;
    bool          check_quorum = false;
    /// All servers restart: they hold an entry of term 1 that they know to be committed, and have yet to apply it.
    bool unapplied = false;
    /// All servers restart: the first entry, of term 1, holds the first members. Nobody remembers that it is committed.
    bool members_in_log = false;
    /// What a server knew to be committed, it knows after a crash; otherwise it has forgotten all of it.
    bool commit_is_saved = false;
    /// Writes become durable in the step that makes them. That does not cover everything: good for hunting, no proof.
    bool                 eager_writes = false;
    bool                 forced = false; ///< The new voters need not have answered.
    std::vector<Members> targets = {};   ///< What a leader can be asked for.
    Reductions           reductions = {};
};

/// What is bounded by counting.
enum class Budget : std::uint8_t
{
    elections,
    proposals,
    crashes,
    heartbeats,
    reads,
    duplicates,
    snapshots,
    damages,
    changes,
    cancels,
    catch_ups,
    transfers,
    announcements,
    wipes,
};

[[nodiscard]] constexpr std::uint32_t limit_of(Scope const& scope, Budget bound)
{
    switch (bound) {
    case Budget::elections:
        return scope.elections;
    case Budget::proposals:
        return scope.proposals;
    case Budget::crashes:
        return scope.crashes;
    case Budget::heartbeats:
        return scope.heartbeats;
    case Budget::reads:
        return scope.reads;
    case Budget::duplicates:
        return scope.duplicates;
    case Budget::snapshots:
        return scope.snapshots;
    case Budget::damages:
        return scope.damages;
    case Budget::changes:
        return scope.changes;
    case Budget::cancels:
        return scope.cancels;
    case Budget::catch_ups:
        return scope.catch_ups;
    case Budget::transfers:
        return scope.transfers;
    case Budget::announcements:
        return scope.announcements;
    case Budget::wipes:
        return scope.wipes;
    }
    return 0;
}

/// Whether configurations are appended, or the lives of logs change.
[[nodiscard]] constexpr bool has_changes(Scope const& scope)
{
    return scope.changes != 0 or scope.announcements != 0 or scope.wipes != 0;
}

/// What servers can that announce something: more than every cluster begins with.
[[nodiscard]] constexpr Abilities announced_abilities()
{
    auto can = Abilities{};
    ++can.machine;
    return can;
}

[[nodiscard]] constexpr std::size_t voters_of(Scope const& scope)
{
    return scope.voters == 0 ? scope.servers : scope.voters;
}

/// The scope as it is explored: servers that may do or become different things are told apart.
[[nodiscard]] inline Scope as_explored(Scope scope)
{
    if (has_changes(scope) or scope.candidates != 0)
        scope.reductions.symmetry = false;
    return scope;
}

/// How often each bounded event has happened; what has no bound is not counted.
class BudgetUsed
{
public:
    constexpr BudgetUsed() = default;
    constexpr explicit BudgetUsed(std::uint64_t bits) : bits_(bits) {}

    [[nodiscard]] constexpr std::uint64_t bits() const { return bits_; }

    [[nodiscard]] constexpr std::uint32_t of(Budget bound) const
    {
        return static_cast<std::uint32_t>(bits_ >> shift(bound) & 15U);
    }

    [[nodiscard]] constexpr bool is_left(Scope const& scope, Budget bound) const
    {
        auto const limit = limit_of(scope, bound);
        return limit == any_number or of(bound) < limit;
    }

    constexpr void spend(Scope const& scope, Budget bound)
    {
        if (limit_of(scope, bound) != any_number)
            bits_ += std::uint64_t{1} << shift(bound);
    }

    friend constexpr bool operator==(BudgetUsed const&, BudgetUsed const&) = default;

private:
    [[nodiscard]] static constexpr std::uint32_t shift(Budget bound) { return 4U * static_cast<std::uint32_t>(bound); }

    std::uint64_t bits_ = 0;
};

/// The settings with which the servers of a scope run.
[[nodiscard]] constexpr Settings settings_of(Scope const& scope)
{
    auto settings = Settings{};
    settings.append_entries_max = scope.entries_per_append;
    settings.pre_vote = scope.pre_vote;
    settings.sticky = scope.sticky;
    settings.can = scope.announcements == 0 ? Abilities{} : announced_abilities();
    settings.check_quorum = scope.check_quorum;
    settings.watch_storage = false;
    settings.replay_grace_ms = scope.unapplied ? Settings{}.replay_grace_ms : 0;
    return settings;
}

} // namespace totora::inline v0::explore
