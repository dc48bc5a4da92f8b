// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../protocol/resp.hpp"
#include "command_table.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kv
{

/// What COMMAND answers: clients of clusters look there for the keys among a command's words, and redis-cli for its hints.
class CommandDocs
{
public:
    CommandDocs(std::string& to, Protocol protocol) : to_(to), protocol_(protocol) {}

    /// COMMAND and what follows it.
    void answer(std::span<std::string_view const> words) const
    {
        if (words.size() == 1)
            return write_infos({});
        auto const what = words[1];
        auto const names = words.subspan(2);
        if (is_word(what, "info"))
            return write_infos(names);
        if (is_word(what, "docs"))
            return write_docs(names);
        if (is_word(what, "getkeys") and not names.empty())
            return write_keys(names);
        if (is_word(what, "count") and names.empty())
            return write_integer(to_, command_rules.size());
        if (is_word(what, "list") and names.empty()) {
            write_array(to_, command_rules.size());
            for (auto const& rule : command_rules)
                write_bulk(to_, rule.name);
            return;
        }
        write_error(to_, "ERR unknown subcommand " + quoted(what) +
                             " or wrong number of words: COMMAND answers COUNT, DOCS, GETKEYS, INFO and LIST");
    }

private:
    /// Of the commands that are named, or of all.
    void write_infos(std::span<std::string_view const> names) const
    {
        write_array(to_, names.empty() ? command_rules.size() : names.size());
        if (names.empty())
            for (auto const& rule : command_rules)
                write_info(rule);
        for (auto const name : names)
            if (auto const* const rule = find_rule(name))
                write_info(*rule);
            else
                write_nil(to_, protocol_);
    }

    void write_info(CommandRule const& rule) const
    {
        write_array(to_, 10);
        write_bulk(to_, rule.name);
        write_integer(to_, rule.arity);
        auto const flags = rule.audience == Audience::cluster     ? std::array{"write", "denyoom"}
                           : rule.audience == Audience::reader    ? std::array{"readonly", "fast"}
                           : rule.audience == Audience::operators ? std::array{"admin", "stale"}
                                                                  : std::array{"loading", "stale"};
        write_array(to_, flags.size());
        for (auto const* const flag : flags)
            write_simple(to_, flag);
        write_integer(to_, rule.keys.first);
        write_integer(to_, rule.keys.last);
        write_integer(to_, rule.keys.step);
        for (auto lists = 0; lists < 4; ++lists) // Categories of access, tips, places of keys again, subcommands.
            write_array(to_, 0);
    }

    void write_docs(std::span<std::string_view const> names) const
    {
        auto rules = std::vector<CommandRule const*>{};
        for (auto const& rule : command_rules)
            if (names.empty())
                rules.push_back(&rule);
        for (auto const name : names)
            if (auto const* const rule = find_rule(name))
                rules.push_back(rule);
        write_map(to_, rules.size(), protocol_);
        for (auto const* const rule : rules) {
            write_bulk(to_, rule->name);
            write_map(to_, 3, protocol_);
            for (auto const text : {std::string_view{"summary"}, rule->summary, std::string_view{"since"},
                                    std::string_view{"1.0.0"}, std::string_view{"group"}, rule->group})
                write_bulk(to_, text);
        }
    }

    void write_keys(std::span<std::string_view const> words) const
    {
        auto const understood = understand(words);
        if (auto const* const complaint = std::get_if<std::string>(&understood))
            return write_error(to_, *complaint);
        auto const places = std::get<CommandRule>(understood).keys;
        if (places.step == 0)
            return write_error(to_, "ERR The command has no key arguments");
        auto const count = static_cast<int>(words.size());
        auto const last = places.last < 0 ? count + places.last : places.last;
        write_array(to_, static_cast<std::size_t>((last - places.first) / places.step + 1));
        for (auto at = places.first; at <= last; at += places.step)
            write_bulk(to_, words[static_cast<std::size_t>(at)]);
    }

    std::string& to_;
    Protocol     protocol_;
};

} // namespace kv
