// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/history.hpp"
#include "totora/testing/linearizability/key_value.hpp"
#include "totora/testing/linearizability/scalar.hpp"
#include "totora/testing/simulate/clients/store.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// A request of a client of a `Store`, and its answer. Moments are numbers of events.
struct StoreRequest
{
    std::size_t   client = 0;
    std::size_t   server = 0;
    StoreCommand  command;
    bool          is_read = false; ///< Not in the log.
    bool          is_open = true;
    bool          happened_not = false; ///< It was rejected.
    bool          is_known = false;
    std::uint64_t called = 0;
    std::uint64_t ended = 0;
    std::uint64_t answer = 0;
};

/// A value of a `Store`, in which 0 is absent.
[[nodiscard]] inline linearizability::Scalar scalar_of(std::uint64_t value)
{
    return value == 0 ? linearizability::null : linearizability::Scalar{static_cast<std::int64_t>(value)};
}

[[nodiscard]] inline linearizability::KeyValue::Action action_of(StoreCommand const& command)
{
    if (command.kind == StoreCommand::Kind::put)
        return linearizability::KeyValue::Put{scalar_of(command.value)};
    if (command.kind == StoreCommand::Kind::compare_and_set)
        return linearizability::KeyValue::CompareAndSet{scalar_of(command.expected), scalar_of(command.value)};
    return linearizability::KeyValue::Get{};
}

[[nodiscard]] inline linearizability::Scalar answer_of(StoreRequest const& request)
{
    if (request.command.kind == StoreCommand::Kind::put)
        return linearizability::null;
    if (request.command.kind == StoreCommand::Kind::compare_and_set)
        return request.answer == 1;
    return scalar_of(request.answer);
}

/// What certainly did not happen is left out, and so is a read without an answer.
[[nodiscard]] inline linearizability::History<linearizability::KeyValue>
history_of(std::vector<StoreRequest> const& requests)
{
    auto history = linearizability::History<linearizability::KeyValue>{};
    for (auto const& request : requests) {
        if (request.happened_not or (not request.is_known and request.command.kind == StoreCommand::Kind::get))
            continue;
        auto operation = linearizability::Operation<linearizability::KeyValue>{};
        operation.client = request.client;
        operation.key = std::to_string(request.command.key);
        operation.action = action_of(request.command);
        operation.called = static_cast<linearizability::Moment>(request.called);
        if (request.is_known)
            operation.ended = linearizability::Ended<linearizability::Scalar>{
                static_cast<linearizability::Moment>(request.ended), answer_of(request)};
        history.push_back(std::move(operation));
    }
    return history;
}

} // namespace totora::inline v0::simulate
