// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace totora::process
{

/// A moment, in any unit that all clients share.
using Moment = std::int64_t;

inline constexpr Moment never = std::numeric_limits<Moment>::max();

/// What one client did to one key. Every value is written at most once; the empty value is the key that is absent,
/// which nobody writes.
struct Operation
{
    enum class Kind
    {
        write,
        read,
    };

    Kind        kind{};
    std::string value;
    Moment      began = 0;
    Moment      ended = never; ///< `never`: its outcome is unknown. It may happen at any later time, or not at all.
};

/// A write with its reads: the operations on one value.
struct Stretch
{
    std::string value;
    Moment      write_began = never;
    Moment      first_end = never;
    Moment      last_begin = std::numeric_limits<Moment>::min();
    bool        is_written = false;
    bool        is_read = false;
    bool        is_certain = false; ///< The write was acknowledged.

    [[nodiscard]] Moment in_force_begin() const { return std::min(first_end, last_begin); }
    [[nodiscard]] bool   is_forward() const { return first_end < last_begin; }

    /// A write of unknown outcome that nobody saw need not have happened.
    [[nodiscard]] bool counts() const { return is_written and (is_read or is_certain); }
};

using Stretches = std::map<std::string, Stretch>;

/// Adds an operation to the stretch of its value; returns what is wrong, or nothing if all is well.
[[nodiscard]] inline std::string add_operation(Stretches& by_value, Operation const& operation)
{
    auto& stretch = by_value[operation.value];
    stretch.value = operation.value;
    if (operation.kind == Operation::Kind::write) {
        if (stretch.is_written)
            return "the value '" + operation.value + "' is written twice: the history proves nothing";
        stretch.is_written = true;
        stretch.is_certain = operation.ended != never;
        stretch.write_began = operation.began;
    } else if (operation.ended == never) {
        return {}; // A read that never came back proves nothing.
    } else {
        stretch.is_read = true;
    }
    stretch.first_end = std::min(stretch.first_end, operation.ended);
    stretch.last_begin = std::max(stretch.last_begin, operation.began);
    return {};
}

/// A read of what was not written, or not yet; nothing if there is none.
[[nodiscard]] inline std::string find_read_before_write(Stretches const& by_value)
{
    for (auto const& [value, stretch] : by_value) {
        if (not stretch.is_written and stretch.is_read)
            return "the value '" + value + "' was read and never written";
        if (stretch.first_end < stretch.write_began)
            return "the value '" + value + "' was read before it was written";
    }
    return {};
}

/// Two stretches that no order separates; nothing if there are none.
[[nodiscard]] inline std::string find_overlap(Stretches const& by_value)
{
    auto stretches = std::vector<Stretch>{};
    for (auto const& [value, stretch] : by_value)
        if (stretch.counts())
            stretches.push_back(stretch);
    std::sort(stretches.begin(), stretches.end(),
              [](auto const& one, auto const& other) { return one.in_force_begin() < other.in_force_begin(); });
    Stretch const* forward = nullptr; // The one that reaches furthest so far; forward stretches do not overlap.
    for (auto const& stretch : stretches) {
        if (forward != nullptr and stretch.is_forward() and stretch.first_end < forward->last_begin)
            return "'" + forward->value + "' and '" + stretch.value + "' were both in force at one time";
        if (forward != nullptr and forward->first_end < stretch.last_begin and stretch.first_end < forward->last_begin)
            return "'" + stretch.value + "' was in force while '" + forward->value + "' was, before and after it";
        if (stretch.is_forward())
            forward = &stretch;
    }
    return {};
}

/// Whether one order of the operations on a key explains all answers, each operation happening between its begin and
/// its end (Herlihy and Wing). Returns what is wrong, or nothing if all is well.
///
/// As values are unique, each read belongs to one write, and a write with its reads takes one stretch of any order.
/// Gibbons and Korach ("Testing shared memories", section 3) show what to compare: let `first_end` be the first end
/// among them and `last_begin` the last begin. If `first_end < last_begin`, the value is in force in all between, and
/// no two such stretches may overlap; otherwise the value can be in force at any one moment from `last_begin` to
/// `first_end`, and these may not all lie within the stretch of another value.
[[nodiscard]] inline std::string find_violation(std::vector<Operation> const& operations)
{
    auto by_value = Stretches{};
    // The absence of the key is a value that was written before everything else.
    auto constexpr dawn = std::numeric_limits<Moment>::min();
    by_value[""] = {"", dawn, dawn, dawn, true, true, true};

    for (auto const& operation : operations)
        if (auto violation = add_operation(by_value, operation); not violation.empty())
            return violation;
    if (auto violation = find_read_before_write(by_value); not violation.empty())
        return violation;
    return find_overlap(by_value);
}

} // namespace totora::process
