// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/sim/counter.hpp"
#include "totora/sim/history.hpp"
#include "totora/sim/key_value.hpp"
#include "totora/sim/pending_operations.hpp"
#include "totora/sim/register.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

/// Operations in few words: what was asked and answered, when it was called and when it ended; `never` if nobody knows.
namespace totora::test::histories
{

using sim::Moment;
using sim::never;
using sim::null;
using sim::Scalar;

template <typename Object>
sim::Operation<Object>
operation(typename Object::Action action, typename Object::Answer answer, Moment called, Moment ended)
{
    auto made = sim::Operation<Object>{.client = 1, .key = "x", .action = std::move(action), .called = called};
    if (ended != never)
        made.ended = {.at = ended, .answer = std::move(answer)};
    return made;
}

template <typename Object>
sim::Operation<Object> on(std::string key, sim::Operation<Object> operation)
{
    operation.key = std::move(key);
    return operation;
}

inline auto read(Scalar value, Moment called, Moment ended)
{
    return operation<sim::Register>(sim::Register::Read{}, std::move(value), called, ended);
}

inline auto write(Scalar value, Moment called, Moment ended)
{
    return operation<sim::Register>(sim::Register::Write{std::move(value)}, null, called, ended);
}

inline auto get(Scalar value, Moment called, Moment ended)
{
    return operation<sim::KeyValue>(sim::KeyValue::Get{}, std::move(value), called, ended);
}

inline auto put(Scalar value, Moment called, Moment ended)
{
    return operation<sim::KeyValue>(sim::KeyValue::Put{std::move(value)}, null, called, ended);
}

inline auto remove(Moment called, Moment ended) { return put(null, called, ended); }

inline auto change(Scalar expected, Scalar value, bool is_set, Moment called, Moment ended)
{
    return operation<sim::KeyValue>(sim::KeyValue::CompareAndSet{std::move(expected), std::move(value)}, is_set, called,
                                    ended);
}

inline auto count(std::int64_t value, Moment called, Moment ended)
{
    return operation<sim::Counter>(sim::Counter::Read{}, value, called, ended);
}

inline auto add(std::int64_t by, Moment called, Moment ended)
{
    return operation<sim::Counter>(sim::Counter::Add{by}, null, called, ended);
}

inline auto add_and_read(std::int64_t by, std::int64_t sum, Moment called, Moment ended)
{
    return operation<sim::Counter>(sim::Counter::AddAndRead{by}, sum, called, ended);
}

} // namespace totora::test::histories
