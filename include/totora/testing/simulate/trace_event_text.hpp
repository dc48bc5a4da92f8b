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

/// The name of what happened, as a trace spells it.
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
           number(glance.apply_index);
}

/// An event as a line for people.
[[nodiscard]] inline std::string to_string(TraceEvent const& sighting)
{
    auto text = std::to_string(sighting.at_us) + " us, " + testing::to_string(ServerId{sighting.server + 1}) + ": ";
    switch (sighting.what) {
    case TraceEventKind::message:
        text += "from " + testing::to_string(sighting.from) + " " +
                (sighting.refused ? "a frame that is refused" : testing::to_string(sighting.rpc));
        break;
    case TraceEventKind::alarm:
        text += testing::to_string(sighting.alarm) + " rings";
        break;
    case TraceEventKind::completion:
        text += "writing and syncing ended";
        break;
    case TraceEventKind::request:
        text += "a client asks";
        break;
    case TraceEventKind::start:
        text += "a process starts";
        break;
    case TraceEventKind::resumed:
        text += "goes on after a pause";
        break;
    case TraceEventKind::link:
        text += "the way to " + testing::to_string(sighting.from) + " is full, open or was lost";
        break;
    case TraceEventKind::fault:
        text += "planned fault " + std::to_string(sighting.planned) + ", " + std::string{to_string(sighting.fault)};
        break;
    case TraceEventKind::healed:
        text += "is part of the quorum that is healed";
        break;
    }
    return text + "  [" + to_string(sighting.after) + "]";
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
[[nodiscard]] inline std::string to_json(TraceEvent const& sighting)
{
    auto line = "{\"number\": " + std::to_string(sighting.number) + ", \"at_us\": " + std::to_string(sighting.at_us) +
                ", \"node\": " + std::to_string(sighting.server + 1) + ", \"kind\": \"" +
                std::string{to_string(sighting.what)} + "\"";
    if (sighting.what == TraceEventKind::message)
        line += ", \"from\": " + std::to_string(sighting.from.value) + ", " +
                (sighting.refused ? "\"message\": \"refused\"" : to_json(sighting.rpc));
    if (sighting.what == TraceEventKind::alarm)
        line += ", \"alarm\": \"" + std::string{totora::to_string(sighting.alarm)} + "\"";
    if (sighting.what == TraceEventKind::fault)
        line += ", \"fault\": \"" + std::string{to_string(sighting.fault)} +
                "\", \"planned\": " + std::to_string(sighting.planned);
    return line + ", \"before\": " + testing::to_json(sighting.before) +
           ", \"after\": " + testing::to_json(sighting.after) + "}";
}

} // namespace totora::inline v0::simulate
