// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/log/verify.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace kv
{

/// What `kv verify` found, in a word.
[[nodiscard]] inline std::string_view state_of(totora::LogVerdict const& verdict)
{
    return not verdict.damage.empty() ? "damaged" : verdict.torn_tail ? "torn" : "sound";
}

/// What `kv verify` prints.
[[nodiscard]] inline std::string to_text(totora::LogVerdict const& verdict)
{
    auto text = std::string{state_of(verdict)} + ": " + std::to_string(verdict.bytes) + " bytes in " +
                std::to_string(verdict.segments) + " segments, " + std::to_string(verdict.without_index) +
                " of them sealed without an index\n";
    if (verdict.damage.empty())
        text += "the last entry is " + std::to_string(verdict.last.value) + "\n";
    if (verdict.kept_by_machine > totora::Index{})
        text += "entries up to " + std::to_string(verdict.kept_by_machine.value) +
                " are in no snapshot: a state machine that keeps itself must have them\n";
    if (verdict.torn_tail)
        text += "torn from the entry " + std::to_string(verdict.torn_tail->first.value) + " on, " +
                std::to_string(verdict.torn_tail->bytes) +
                " bytes that were never acknowledged: the next start cuts them off\n";
    for (auto const& description : verdict.damage)
        text += description + "\n";
    return text;
}

/// The same as an object of JSON. The descriptions hold no letter that must be escaped but quotes and backslashes.
[[nodiscard]] inline std::string to_json(totora::LogVerdict const& verdict)
{
    auto text = "{\"state\":\"" + std::string{state_of(verdict)} + "\",\"bytes\":" + std::to_string(verdict.bytes) +
                ",\"segments\":" + std::to_string(verdict.segments) +
                ",\"without_index\":" + std::to_string(verdict.without_index);
    if (verdict.damage.empty())
        text += ",\"last\":" + std::to_string(verdict.last.value);
    if (verdict.kept_by_machine > totora::Index{})
        text += ",\"kept_by_machine\":" + std::to_string(verdict.kept_by_machine.value);
    if (verdict.torn_tail)
        text += ",\"torn_from\":" + std::to_string(verdict.torn_tail->first.value) +
                ",\"torn_bytes\":" + std::to_string(verdict.torn_tail->bytes);
    text += ",\"damage\":[";
    for (auto const& description : verdict.damage) {
        text += (&description == verdict.damage.data() ? "\"" : ",\"");
        for (auto const letter : description) {
            if (letter == '"' or letter == '\\')
                text += '\\';
            text += letter;
        }
        text += '"';
    }
    return text + "]}\n";
}

} // namespace kv
