// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/counter.hpp"
#include "totora/testing/linearizability/history.hpp"
#include "totora/testing/linearizability/key_value.hpp"
#include "totora/testing/linearizability/pending_operations.hpp"
#include "totora/testing/linearizability/register.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

/// Operations in few words: what was asked and answered, when it was called and when it ended; `never` if nobody knows.
namespace totora::test::histories
{

using linearizability::Moment;
using linearizability::never;
using linearizability::null;
using linearizability::Scalar;

template <typename Object>
linearizability::Operation<Object>
operation(typename Object::Action action, typename Object::Answer answer, Moment called, Moment ended)
{
    auto made =
        linearizability::Operation<Object>{.client = 1, .key = "x", .action = std::move(action), .called = called};
    if (ended != never)
        made.ended = {.at = ended, .answer = std::move(answer)};
    return made;
}

template <typename Object>
linearizability::Operation<Object> on(std::string key, linearizability::Operation<Object> operation)
{
    operation.key = std::move(key);
    return operation;
}

inline auto read(Scalar value, Moment called, Moment ended)
{
    return operation<linearizability::Register>(linearizability::Register::Read{}, std::move(value), called, ended);
}

inline auto write(Scalar value, Moment called, Moment ended)
{
    return operation<linearizability::Register>(linearizability::Register::Write{std::move(value)}, null, called,
                                                ended);
}

inline auto get(Scalar value, Moment called, Moment ended)
{
    return operation<linearizability::KeyValue>(linearizability::KeyValue::Get{}, std::move(value), called, ended);
}

inline auto put(Scalar value, Moment called, Moment ended)
{
    return operation<linearizability::KeyValue>(linearizability::KeyValue::Put{std::move(value)}, null, called, ended);
}

inline auto remove(Moment called, Moment ended) { return put(null, called, ended); }

inline auto change(Scalar expected, Scalar value, bool is_set, Moment called, Moment ended)
{
    return operation<linearizability::KeyValue>(
        linearizability::KeyValue::CompareAndSet{std::move(expected), std::move(value)}, is_set, called, ended);
}

inline auto count(std::int64_t value, Moment called, Moment ended)
{
    return operation<linearizability::Counter>(linearizability::Counter::Read{}, value, called, ended);
}

inline auto add(std::int64_t by, Moment called, Moment ended)
{
    return operation<linearizability::Counter>(linearizability::Counter::Add{by}, null, called, ended);
}

inline auto add_and_read(std::int64_t by, std::int64_t sum, Moment called, Moment ended)
{
    return operation<linearizability::Counter>(linearizability::Counter::AddAndRead{by}, sum, called, ended);
}

} // namespace totora::test::histories
