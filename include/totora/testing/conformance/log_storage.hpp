// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/policy/log.hpp"

#include <concepts>

namespace totora::inline v0::conformance
{

/// The place in which a log is kept, over the starts of a process, for `check_log`. A new one holds an empty log of
/// `sample_identity()`.
///
/// It may have `settle()`, which returns when the threads of the log have done what was requested, or at once if it has
/// none; without it the kit polls once in a millisecond, for seconds.
///
/// It may have, and more is checked then: `fail()`, after which the next write or sync fails; `fill()` and `free()`, which
/// take all space and give it back; `damaged(k)`, a `std::optional` of a copy in which one bit is flipped at the k-th
/// place, nothing if there are no more places.
// clang-format off: version 14 cannot format requires-expressions.
template <typename T>
concept log_storage = requires(T& storage)
{
    requires durable_log<typename T::Log>;
    /// Starts the log that is there. It stays until `stop`.
    {
        storage.open()
        } -> std::same_as<Result<typename T::Log*, LogError>>;
    /// Ends the process at an arbitrary point, and if that can be done, cuts the power.
    {
        storage.stop()
        } -> std::same_as<void>;
};
// clang-format on

} // namespace totora::inline v0::conformance
