// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/fields.hpp"

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

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

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("index", self.index);
    }
};
static_assert(lists_its_fields<LogPosition>());

/// Neighbouring entries of one term: `count` entries of `term` from `first` on. Empty if `count` is 0.
struct Run
{
    Term          term;
    Index         first;
    std::uint64_t count = 0;

    friend constexpr bool operator==(Run const&, Run const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("first", self.first);
        visit("count", self.count);
    }
};
static_assert(lists_its_fields<Run>());

/// The last index of a run; the one before `first` if it is empty.
[[nodiscard]] constexpr Index last_of(Run const& run) { return before(run.first + run.count); }

/// What an entry is to the protocol (everything else about it is the state machine's).
enum class EntryKind : std::uint8_t
{
    command = 1,       ///< For the state machine.
    no_op = 2,         ///< The entry with which a leader begins its term (§8).
    configuration = 3, ///< The members of the cluster (§6).
};

/// The name of a kind.
[[nodiscard]] constexpr std::string_view to_string(EntryKind kind)
{
    switch (kind) {
    case EntryKind::command:
        return "command";
    case EntryKind::no_op:
        return "no_op";
    case EntryKind::configuration:
        return "configuration";
    }
    return "unknown";
}

/// A write of this server to its own log. All writes of a server, of whatever kind, form one sequence.
struct WriteNumber
{
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(WriteNumber const&, WriteNumber const&) = default;
};

[[nodiscard]] constexpr WriteNumber next(WriteNumber number) { return WriteNumber{number.value + 1}; }

/// A round of messages, which their answers echo: of a leader that confirms that it still leads (§8; dissertation §6.4), numbered
/// within its term; or of a server's pre-votes (dissertation §9.6).
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

/// Whether a type is a number with a meaning: an id, a term, an index. It can be hashed and printed.
template <typename T>
inline constexpr bool is_number = false;

template <>
inline constexpr bool is_number<Term> = true;
template <>
inline constexpr bool is_number<Index> = true;
template <>
inline constexpr bool is_number<ServerId> = true;
template <>
inline constexpr bool is_number<Incarnation> = true;
template <>
inline constexpr bool is_number<WriteNumber> = true;
template <>
inline constexpr bool is_number<Round> = true;
template <>
inline constexpr bool is_number<AppendNumber> = true;
template <>
inline constexpr bool is_number<Arming> = true;

template <typename T>
concept strong_number = is_number<T>;

// clang-format off: version 14 cannot format requires-expressions.

/// A stream of characters, as those of <ostream>, which nothing here includes.
template <typename T>
concept character_stream = requires(T& stream, std::uint64_t value, std::string_view text)
{
    typename T::char_type;
    stream << value;
    stream << text;
};

/// An enumeration whose values have names.
template <typename T>
concept named_enumeration = std::is_enum_v<T> and requires(T value)
{
    {
        to_string(value)
        } -> std::same_as<std::string_view>;
};
// clang-format on

/// Prints the bare number.
template <character_stream Stream, strong_number T>
Stream& operator<<(Stream& stream, T printed)
{
    stream << printed.value;
    return stream;
}

/// Prints index and term, as in `12/4`: entry 12, of term 4.
template <character_stream Stream>
Stream& operator<<(Stream& stream, LogPosition position)
{
    stream << position.index << std::string_view{"/"} << position.term;
    return stream;
}

/// Prints the name.
template <character_stream Stream, named_enumeration T>
Stream& operator<<(Stream& stream, T printed)
{
    stream << to_string(printed);
    return stream;
}

} // namespace totora::inline v0

template <totora::strong_number T>
struct std::hash<T>
{
    [[nodiscard]] constexpr std::size_t operator()(T hashed) const noexcept
    {
        return static_cast<std::size_t>(hashed.value * 0x9E3779B97F4A7C15U); // Neighbours are in different buckets.
    }
};

template <>
struct std::hash<totora::LogPosition>
{
    [[nodiscard]] constexpr std::size_t operator()(totora::LogPosition const& position) const noexcept
    {
        auto combined = std::size_t{0};
        totora::LogPosition::visit_fields(position, [&combined](char const*, auto field) {
            combined = static_cast<std::size_t>(combined * 0xC2B2AE3D27D4EB4FU) + std::hash<decltype(field)>{}(field);
        });
        return combined;
    }
};
