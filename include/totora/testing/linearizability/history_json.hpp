// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/flat_json.hpp"
#include "totora/testing/linearizability/history.hpp"
#include "totora/testing/linearizability/scalar.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::linearizability
{

// A history as JSON lines: an operation a line, in any order, each a flat object. docs/formats.md has the same.
//
//     {"client":1,"key":"x","call":3,"action":"write","value":"a","return":8,"answer":null}
//     {"client":2,"key":"x","call":5,"action":"read","return":6,"answer":"a"}
//     {"client":1,"key":"x","call":9,"action":"write","value":"b"}
//
// `call` and `return` are moments on one clock. An operation without `return` and `answer`, which come together, is one
// whose outcome is unknown. The form of the action is up to the object (`written_object`).

/// The error in a history as text, and its place.
struct HistoryError
{
    std::size_t line = 0; ///< From 1 on. Of a history that cannot be written: which operation, from 1 on.
    std::string what;     ///< The error, without a full stop.

    friend bool operator==(HistoryError const&, HistoryError const&) = default;
};

template <written_object Object>
[[nodiscard]] Fields fields_of_operation(Operation<Object> const& operation)
{
    auto fields = Fields{
        {"client", static_cast<std::int64_t>(operation.client)}, {"key", operation.key}, {"call", operation.called}};
    for (auto& field : Object::fields_of(operation.action))
        fields.push_back(std::move(field));
    if (operation.ended) {
        fields.push_back({"return", operation.ended->at});
        fields.push_back({"answer", Object::value_of(operation.ended->answer)});
    }
    return fields;
}

/// The inverse of `fields_of_operation`; the order of the fields does not matter, but there may be no others.
template <written_object Object>
[[nodiscard]] Result<Operation<Object>, std::string> read_operation(Fields const& fields)
{
    auto const client = read_field_as<std::int64_t>(fields, "client");
    if (not client)
        return Unexpected{client.error()};
    if (*client < 0)
        return Unexpected{std::string{"\"client\" is negative"}};
    auto const key = read_field_as<std::string>(fields, "key");
    if (not key)
        return Unexpected{key.error()};
    auto const called = read_field_as<Moment>(fields, "call");
    if (not called)
        return Unexpected{called.error()};
    auto const action = Object::read_action(fields);
    if (not action)
        return Unexpected{action.error()};
    auto operation = Operation<Object>{static_cast<std::uint64_t>(*client), *key, *action, *called, {}};

    if (find_field(fields, "return") != nullptr or find_field(fields, "answer") != nullptr) {
        auto const returned = read_field_as<Moment>(fields, "return");
        if (not returned)
            return Unexpected{returned.error()};
        if (*returned < *called)
            return Unexpected{std::string{"\"return\" is before \"call\""}};
        auto const value = read_field(fields, "answer");
        if (not value)
            return Unexpected{value.error()};
        auto answer = Object::read_answer(*action, *value);
        if (not answer)
            return Unexpected{answer.error()};
        operation.ended = {*returned, *std::move(answer)};
    }

    auto const known = fields_of_operation(operation);
    for (auto const& field : fields)
        if (find_field(known, field.name) == nullptr)
            return Unexpected{"\"" + field.name + "\" is not a field of this operation"};
    return operation;
}

/// The lines of a history, each with its line feed. Fails if a text is not UTF-8 or a client's number needs 64 bits.
template <written_object Object>
[[nodiscard]] Result<std::string, HistoryError> write_history(std::vector<Operation<Object>> const& history)
{
    auto text = std::string{};
    for (auto number = std::size_t{0}; number < history.size(); ++number) {
        auto line = write_flat_json(fields_of_operation(history[number]));
        if (line and history[number].client > static_cast<std::uint64_t>(INT64_MAX))
            line = Unexpected{std::string{"\"client\" needs 64 bits"}};
        if (not line)
            return Unexpected{HistoryError{number + 1, line.error()}};
        text += *line + "\n";
    }
    return text;
}

/// Reads what `write_history` writes, and what other programs write in this format; the last line feed may be missing.
template <written_object Object>
[[nodiscard]] Result<History<Object>, HistoryError> read_history(std::string_view text)
{
    auto history = History<Object>{};
    while (not text.empty()) {
        auto const line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        auto const fields = read_flat_json(line);
        if (not fields)
            return Unexpected{HistoryError{history.size() + 1, fields.error()}};
        auto operation = read_operation<Object>(*fields);
        if (not operation)
            return Unexpected{HistoryError{history.size() + 1, operation.error()}};
        history.push_back(*std::move(operation));
    }
    return history;
}

} // namespace totora::inline v0::linearizability
