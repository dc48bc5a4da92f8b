// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/membership_change.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace totora::inline v0::simulate
{

/// How requests of operators ended in runs, and what came of servers that lost their directories.
enum class MemberCount : std::uint8_t
{
    changes_done, ///< In the order of `ChangeEnd`, this and the next ones.
    changes_cancelled,
    changes_stalled,
    changes_slow,
    changes_silent,
    changes_refused,
    changes_unknown,
    transfers_done,
    transfers_failed,
    transfers_refused,
    left_open,               ///< Their process ended.
    lives_let_in,            ///< Of servers that lost their directories.
    promises_of_later_lives, ///< Their votes and acknowledgements.
    frames_of_other_lives,   ///< That transports rejected.
};

inline constexpr std::string_view member_count_names[] = {
    "changes_done",
    "changes_cancelled",
    "changes_stalled",
    "changes_slow",
    "changes_silent",
    "changes_refused",
    "changes_unknown",
    "transfers_done",
    "transfers_failed",
    "transfers_refused",
    "operators_left_without_answer",
    "lives_let_in",
    "promises_of_later_lives",
    "frames_of_other_lives",
};
inline constexpr std::size_t member_count_kinds = static_cast<std::size_t>(MemberCount::frames_of_other_lives) + 1;
static_assert(sizeof member_count_names / sizeof *member_count_names == member_count_kinds);

[[nodiscard]] constexpr std::string_view to_string(MemberCount what)
{
    return member_count_names[static_cast<std::size_t>(what)];
}

/// That a change ended so.
[[nodiscard]] constexpr MemberCount count_of(ChangeEnd end) { return static_cast<MemberCount>(end); }

/// How often each happened.
class MemberCounts
{
public:
    [[nodiscard]] constexpr std::uint64_t& operator[](MemberCount what)
    {
        return numbers_[static_cast<std::size_t>(what)];
    }

    constexpr MemberCounts& operator+=(MemberCounts const& other)
    {
        for (auto kind = std::size_t{0}; kind < member_count_kinds; ++kind)
            numbers_[kind] += other.numbers_[kind];
        return *this;
    }

    template <typename Visit>
    constexpr void for_each(Visit visit) const
    {
        for (auto kind = std::size_t{0}; kind < member_count_kinds; ++kind)
            visit(static_cast<MemberCount>(kind), numbers_[kind]);
    }

private:
    std::array<std::uint64_t, member_count_kinds> numbers_{};
};

} // namespace totora::inline v0::simulate
