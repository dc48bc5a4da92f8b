// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/trace_event.hpp"
#include "totora/testing/text.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace totora::inline v0::simulate
{

/// The name of an event, as a trace spells it.
[[nodiscard]] constexpr std::string_view to_string(TraceEventKind what)
{
    constexpr std::string_view names[] = {"message", "alarm", "completion", "request", "start",
                                          "resumed", "link",  "fault",      "healed"};
    return names[static_cast<std::size_t>(what)];
}

[[nodiscard]] inline std::string to_string(Glance const& glance)
{
    auto const number = [](auto value) { return std::to_string(value.value); };
    return std::string{to_string(glance.role)} + " of term " + number(glance.term) + ", vote " +
           number(glance.voted_for) + ", last " + number(glance.last.index) + "/" + number(glance.last.term) +
           ", durable " + number(glance.durable) + ", commit " + number(glance.commit) + ", applied " +
           number(glance.apply_index) + ", base " + number(glance.base);
}

/// An event as a line for people.
[[nodiscard]] inline std::string to_string(TraceEvent const& event)
{
    auto text = std::to_string(event.at_us) + " us, " + testing::to_string(ServerId{event.server + 1}) + ": ";
    switch (event.what) {
    case TraceEventKind::message:
        text += "from " + testing::to_string(event.from) + " " +
                (event.refused ? "a frame that is refused" : testing::to_string(event.rpc));
        break;
    case TraceEventKind::alarm:
        text += testing::to_string(event.alarm) + " rings";
        break;
    case TraceEventKind::completion:
        text += "writing and syncing ended";
        break;
    case TraceEventKind::request:
        text += "a client sends a request";
        break;
    case TraceEventKind::start:
        text += "a process starts";
        break;
    case TraceEventKind::resumed:
        text += "resumes after a pause";
        break;
    case TraceEventKind::link:
        text += "the link to " + testing::to_string(event.from) + " is full, open or was lost";
        break;
    case TraceEventKind::fault:
        text += "planned fault " + std::to_string(event.planned) + ", " + std::string{to_string(event.fault)};
        break;
    case TraceEventKind::healed:
        text += "is part of the quorum that is healed";
        break;
    }
    return text + "  [" + to_string(event.after) + "]";
}

/// A message as two members of an object of JSON: its name, and its fields.
[[nodiscard]] inline std::string to_json(Rpc const& rpc)
{
    return std::visit(
        []<typename T>(T const& message) {
            return "\"message\": \"" + std::string{testing::type_name<T>()} +
                   "\", \"fields\": " + testing::to_json(message);
        },
        rpc);
}

/// An event as a line of a trace.
[[nodiscard]] inline std::string to_json(TraceEvent const& event)
{
    auto line = "{\"number\": " + std::to_string(event.number) + ", \"at_us\": " + std::to_string(event.at_us) +
                ", \"node\": " + std::to_string(event.server + 1) + ", \"kind\": \"" +
                std::string{to_string(event.what)} + "\"";
    if (event.what == TraceEventKind::message)
        line += ", \"from\": " + std::to_string(event.from.value) + ", " +
                (event.refused ? "\"message\": \"refused\"" : to_json(event.rpc));
    if (event.what == TraceEventKind::alarm)
        line += ", \"alarm\": \"" + std::string{totora::to_string(event.alarm)} + "\"";
    if (event.what == TraceEventKind::fault)
        line += ", \"fault\": \"" + std::string{to_string(event.fault)} +
                "\", \"planned\": " + std::to_string(event.planned);
    return line + ", \"before\": " + testing::to_json(event.before) + ", \"after\": " + testing::to_json(event.after) +
           "}";
}

} // namespace totora::inline v0::simulate
