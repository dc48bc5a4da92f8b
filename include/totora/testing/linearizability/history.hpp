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

/// The answer to a client, and its moment.
template <typename Answer>
struct Ended
{
    Moment at = 0;
    Answer answer{};

    friend bool operator==(Ended const&, Ended const&) = default;
};

/// A request of a client on a key. It took effect at one moment between its call and its end, both included.
///
/// An operation whose outcome is unknown never ends: it may have taken effect at any moment after its call, and may not
/// have. An operation that certainly had no effect, such as a rejected proposal, is no part of a history.
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
