// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/sim/history.hpp"
#include "totora/sim/key_value.hpp"
#include "totora/sim/scalar.hpp"
#include "totora/sim/store.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace totora::sim
{

/// What a client of a `Store` asked for, and what it was told. Moments are numbers of events.
struct StoreRequest
{
    std::size_t   client = 0;
    std::size_t   server = 0;
    StoreCommand  command;
    bool          is_read = false; ///< Not in the log.
    bool          is_open = true;
    bool          happened_not = false; ///< It was refused.
    bool          is_known = false;
    std::uint64_t called = 0;
    std::uint64_t ended = 0;
    std::uint64_t answer = 0;
};

/// A value of a `Store`, which has 0 for what is absent.
[[nodiscard]] inline Scalar scalar_of(std::uint64_t value)
{
    return value == 0 ? null : Scalar{static_cast<std::int64_t>(value)};
}

[[nodiscard]] inline KeyValue::Action action_of(StoreCommand const& command)
{
    if (command.kind == StoreCommand::Kind::put)
        return KeyValue::Put{scalar_of(command.value)};
    if (command.kind == StoreCommand::Kind::compare_and_set)
        return KeyValue::CompareAndSet{scalar_of(command.expected), scalar_of(command.value)};
    return KeyValue::Get{};
}

[[nodiscard]] inline Scalar answer_of(StoreRequest const& request)
{
    if (request.command.kind == StoreCommand::Kind::put)
        return null;
    if (request.command.kind == StoreCommand::Kind::compare_and_set)
        return request.answer == 1;
    return scalar_of(request.answer);
}

/// What certainly did not happen is left out, and so is a look that showed nothing.
[[nodiscard]] inline History<KeyValue> history_of(std::vector<StoreRequest> const& requests)
{
    auto history = History<KeyValue>{};
    for (auto const& request : requests) {
        if (request.happened_not or (not request.is_known and request.command.kind == StoreCommand::Kind::get))
            continue;
        auto operation = Operation<KeyValue>{};
        operation.client = request.client;
        operation.key = std::to_string(request.command.key);
        operation.action = action_of(request.command);
        operation.called = static_cast<Moment>(request.called);
        if (request.is_known)
            operation.ended = Ended<Scalar>{static_cast<Moment>(request.ended), answer_of(request)};
        history.push_back(std::move(operation));
    }
    return history;
}

} // namespace totora::sim
