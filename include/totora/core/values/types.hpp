// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <compare>
#include <cstdint>

namespace totora::inline v0
{

/// The highest term and index that a server accepts. Everything above is refused by the codec and is a violation
/// to the core, so that `value + 1` never wraps: at one election a microsecond it lasts 146,000 years.
inline constexpr std::uint64_t number_max = std::uint64_t{1} << 62U;

/// A term: the logical clock of Raft (§5.1). Zero is the term before the first election.
struct Term
{
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(Term const&, Term const&) = default;
};

/// How far a term may lie above that of the server that receives it: twenty years of elections at seven in a second. What lies
/// further above is a mistake (a wrong build, a damaged disk), and would bring the last term near for the whole cluster.
inline constexpr std::uint64_t term_jump_max = std::uint64_t{1} << 32U;

/// Below which a server without a term takes any: one that joins a cluster late knows nothing of its terms.
inline constexpr std::uint64_t first_term_end = std::uint64_t{1} << 61U;

/// A position in the log, counted from 1 (§5.3). Zero is the position before the first entry.
struct Index
{
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(Index const&, Index const&) = default;
};

/// The entry after this one.
[[nodiscard]] constexpr Index next(Index index) { return Index{index.value + 1}; }

/// The entry before this one; the position before the first entry is its own predecessor.
[[nodiscard]] constexpr Index before(Index index) { return Index{index.value == 0 ? 0 : index.value - 1}; }

/// Moves an index by a number of entries.
[[nodiscard]] constexpr Index operator+(Index index, std::uint64_t count) { return Index{index.value + count}; }

/// A server of the cluster. Zero is nobody: what happens on this server itself comes from nobody.
struct ServerId
{
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(ServerId const&, ServerId const&) = default;
};

inline constexpr ServerId nobody{};

/// Which life of a server's log: a server that lost its log comes back under a new incarnation, and is another member.
struct Incarnation
{
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(Incarnation const&, Incarnation const&) = default;
};

/// An entry named by what makes it unique (§5.3, Log Matching). The order is the one of §5.4.1: the later
/// term is more up to date, and in one term the longer log.
struct LogPosition
{
    Term  term;
    Index index;

    friend constexpr auto operator<=>(LogPosition const&, LogPosition const&) = default;
};

/// Neighbouring entries of one term: `count` entries of `term` from `first` on. Empty if `count` is 0.
struct Run
{
    Term          term;
    Index         first;
    std::uint64_t count = 0;

    friend constexpr bool operator==(Run const&, Run const&) = default;
};

/// The last index of a run; the one before `first` if it is empty.
[[nodiscard]] constexpr Index last_of(Run const& run) { return before(run.first + run.count); }

/// What an entry is to the protocol (everything else about it is the state machine's).
enum class EntryKind : std::uint8_t
{
    command = 1,       ///< For the state machine.
    no_op = 2,         ///< The entry with which a leader begins its term (§8).
    configuration = 3, ///< The members of the cluster (§6).
};

/// A write of this server to its own log. All writes of a server, of whatever kind, form one sequence.
struct WriteNumber
{
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(WriteNumber const&, WriteNumber const&) = default;
};

[[nodiscard]] constexpr WriteNumber next(WriteNumber number) { return WriteNumber{number.value + 1}; }

/// A round in which a leader makes sure that it still leads (§8; dissertation §6.4). Numbered by the leader within its term.
struct Round
{
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(Round const&, Round const&) = default;
};

/// An append of a leader to one follower, numbered within the leader's term. The response echoes it.
struct AppendNumber
{
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(AppendNumber const&, AppendNumber const&) = default;
};

/// One setting of an alarm. A ring carries it back; only the newest counts.
struct Arming
{
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(Arming const&, Arming const&) = default;
};

} // namespace totora::inline v0
