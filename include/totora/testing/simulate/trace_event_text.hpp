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

[[nodiscard]] inline std::string told(Glance const& glance)
{
    auto const number = [](auto value) { return std::to_string(value.value); };
    return std::string{to_string(glance.role)} + " of term " + number(glance.term) + ", vote " +
           number(glance.voted_for) + ", last " + number(glance.last.index) + "/" + number(glance.last.term) +
           ", durable " + number(glance.durable) + ", commit " + number(glance.commit) + ", applied " +
           number(glance.apply_index);
}

/// An event as a line for people.
[[nodiscard]] inline std::string told(TraceEvent const& sighting)
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
    return text + "  [" + told(sighting.after) + "]";
}

/// The fields of a message, as JSON without braces.
class RpcJson
{
public:
    [[nodiscard]] static std::string of(Rpc const& rpc)
    {
        return std::visit([](auto const& said) { return fields(said); }, rpc);
    }

private:
    [[nodiscard]] static std::string field(std::string_view name, std::uint64_t value)
    {
        return ", \"" + std::string{name} + "\": " + std::to_string(value);
    }
    [[nodiscard]] static std::string field(std::string_view name, bool value)
    {
        return ", \"" + std::string{name} + "\": " + (value ? "true" : "false");
    }
    [[nodiscard]] static std::string field(std::string_view name, LogPosition position)
    {
        return field(std::string{name} + "_index", position.index.value) +
               field(std::string{name} + "_term", position.term.value);
    }
    [[nodiscard]] static std::string kind(std::string_view name, Term term)
    {
        return "\"message\": \"" + std::string{name} + "\"" + field("message_term", term.value);
    }

    [[nodiscard]] static std::string fields(RequestPreVote const& said)
    {
        return kind("RequestPreVote", said.term) + field("last_log", said.last_log) + field("round", said.round.value);
    }
    [[nodiscard]] static std::string fields(RequestPreVoteResponse const& said)
    {
        return kind("RequestPreVoteResponse", said.term) + field("vote_granted", said.vote_granted) +
               field("round", said.round.value);
    }
    [[nodiscard]] static std::string fields(RequestVote const& said)
    {
        return kind("RequestVote", said.term) + field("last_log", said.last_log) + field("transfer", said.transfer);
    }
    [[nodiscard]] static std::string fields(RequestVoteResponse const& said)
    {
        return kind("RequestVoteResponse", said.term) + field("vote_granted", said.vote_granted);
    }
    [[nodiscard]] static std::string fields(AppendEntries const& said)
    {
        return kind("AppendEntries", said.term) + field("previous", said.previous) +
               field("first", said.entries.first.value) + field("count", said.entries.count) +
               field("entries_term", said.entries.term.value) + field("leader_commit", said.leader_commit.value) +
               field("round", said.round.value) + field("append_number", said.number.value);
    }
    [[nodiscard]] static std::string fields(AppendEntriesResponse const& said)
    {
        return kind("AppendEntriesResponse", said.term) + field("success", said.success) +
               field("match", said.match.value) + field("hint", said.conflict_hint) + field("round", said.round.value) +
               field("append_number", said.number.value);
    }
};

[[nodiscard]] inline std::string to_json(Glance const& glance)
{
    auto const number = [](auto value) { return std::to_string(value.value); };
    return "{\"role\": \"" + std::string{to_string(glance.role)} + "\", \"term\": " + number(glance.term) +
           ", \"vote\": " + number(glance.voted_for) + ", \"commit\": " + number(glance.commit) +
           ", \"applied\": " + number(glance.apply_index) + ", \"durable\": " + number(glance.durable) +
           ", \"last_index\": " + number(glance.last.index) + ", \"last_term\": " + number(glance.last.term) +
           ", \"configuration\": " + number(glance.configuration) + "}";
}

/// An event as a line of a trace.
[[nodiscard]] inline std::string to_json(TraceEvent const& sighting)
{
    auto line = "{\"number\": " + std::to_string(sighting.number) + ", \"at_us\": " + std::to_string(sighting.at_us) +
                ", \"node\": " + std::to_string(sighting.server + 1) + ", \"kind\": \"" +
                std::string{to_string(sighting.what)} + "\"";
    if (sighting.what == TraceEventKind::message)
        line += ", \"from\": " + std::to_string(sighting.from.value) + ", " +
                (sighting.refused ? "\"message\": \"refused\"" : RpcJson::of(sighting.rpc));
    if (sighting.what == TraceEventKind::alarm)
        line += ", \"alarm\": \"" + testing::to_string(sighting.alarm).substr(7) + "\"";
    if (sighting.what == TraceEventKind::fault)
        line += ", \"fault\": \"" + std::string{to_string(sighting.fault)} +
                "\", \"planned\": " + std::to_string(sighting.planned);
    return line + ", \"before\": " + to_json(sighting.before) + ", \"after\": " + to_json(sighting.after) + "}";
}

} // namespace totora::inline v0::simulate
