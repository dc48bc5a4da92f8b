// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/sequential_object.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace totora::inline v0::linearizability
{

/// A moment on a clock that all clients share, in any unit.
using Moment = std::int64_t;

/// What a client was told, and when.
template <typename Answer>
struct Ended
{
    Moment at = 0;
    Answer answer{};

    friend bool operator==(Ended const&, Ended const&) = default;
};

/// What a client asked of a key. It took effect at one moment between its call and its end, both included.
///
/// An operation whose outcome is unknown never ends: it may have taken effect at any moment after its call, and may not
/// have. An operation that surely had no effect, a proposal that was refused say, is no part of a history.
template <sequential_object Object>
struct Operation
{
    std::uint64_t                                 client = 0;
    std::string                                   key{}; ///< Equal for all operations on an object without keys.
    typename Object::Action                       action{};
    Moment                                        called = 0;
    std::optional<Ended<typename Object::Answer>> ended{}; ///< None if the outcome is unknown.

    friend bool operator==(Operation const&, Operation const&) = default;
};

/// In any order.
template <sequential_object Object>
using History = std::vector<Operation<Object>>;

} // namespace totora::inline v0::linearizability
