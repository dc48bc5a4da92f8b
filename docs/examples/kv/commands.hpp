// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "key_value.hpp"
#include "resp.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kv
{

/// The version of Redis whose manners clients may expect.
inline constexpr std::string_view redis_version = "7.0.0";

/// The most bytes of values that MGET may gather; a client that asks for more is answered by an error.
inline constexpr std::size_t answer_bytes_max = std::size_t{16} << 20U;

enum class Command : std::uint8_t
{
    // Answered by the server that was asked.
    ping,
    echo,
    info,
    config,
    command,
    hello,
    select,
    quit,
    // Read from the state machine once the node allows it.
    get,
    mget,
    exists,
    dbsize,
    // Proposed to the cluster.
    set,
    del,
    incr,
    mset,
};

/// Who answers a command.
enum class Audience : std::uint8_t
{
    server,  ///< The server that was asked.
    reader,  ///< The state machine, once the node allows it.
    cluster, ///< All servers: it is proposed.
};

struct CommandRule
{
    std::string_view name;
    Command          command;
    Audience         audience;
    int              arity; ///< As redis counts: words with the name; -n means n or more.
};

inline constexpr auto command_rules = std::array{
    CommandRule{"get", Command::get, Audience::reader, 2},
    CommandRule{"set", Command::set, Audience::cluster, -3},
    CommandRule{"mget", Command::mget, Audience::reader, -2},
    CommandRule{"mset", Command::mset, Audience::cluster, -3},
    CommandRule{"del", Command::del, Audience::cluster, -2},
    CommandRule{"incr", Command::incr, Audience::cluster, 2},
    CommandRule{"exists", Command::exists, Audience::reader, -2},
    CommandRule{"dbsize", Command::dbsize, Audience::reader, 1},
    CommandRule{"ping", Command::ping, Audience::server, -1},
    CommandRule{"echo", Command::echo, Audience::server, 2},
    CommandRule{"info", Command::info, Audience::server, -1},
    CommandRule{"config", Command::config, Audience::server, -2},
    CommandRule{"command", Command::command, Audience::server, -1},
    CommandRule{"hello", Command::hello, Audience::server, -1},
    CommandRule{"select", Command::select, Audience::server, 2},
    CommandRule{"quit", Command::quit, Audience::server, -1},
};

[[nodiscard]] constexpr char lower(char letter)
{
    return letter >= 'A' and letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

/// Whether a word is `name`, which is in lower case, in any mix of cases.
[[nodiscard]] constexpr bool is_word(std::string_view word, std::string_view name)
{
    return std::equal(word.begin(), word.end(), name.begin(), name.end(), [](char a, char b) { return lower(a) == b; });
}

/// What stands in an error about a client's word: short, and on one line.
[[nodiscard]] inline std::string quoted(std::string_view word)
{
    auto text = std::string{"'"};
    for (auto const letter : word.substr(0, 64))
        text.push_back(letter >= ' ' and letter <= '~' ? letter : '?');
    return text + "'";
}

/// A request that can be done, or the error that answers it.
using Understood = std::variant<CommandRule, std::string>;

/// Finds the command that a request means, and checks the number of its words. There is at least one.
[[nodiscard]] inline Understood understand(std::span<std::string_view const> words)
{
    for (auto const& rule : command_rules) {
        if (not is_word(words.front(), rule.name))
            continue;
        auto const count = static_cast<int>(words.size());
        auto const fits = rule.arity < 0 ? count >= -rule.arity : count == rule.arity;
        if (not fits or (rule.command == Command::mset and count % 2 == 0))
            return std::string{"ERR wrong number of arguments for '"}.append(rule.name).append("' command");
        return rule;
    }
    return "ERR unknown command " + quoted(words.front()) +
           ": this is a small store, which knows GET SET MGET MSET DEL INCR EXISTS DBSIZE PING ECHO INFO QUIT";
}

/// The options of SET as bits, or the error that answers them.
[[nodiscard]] inline std::variant<std::uint8_t, std::string> set_options(std::span<std::string_view const> words)
{
    auto options = std::uint8_t{0};
    for (auto const word : words) {
        if (is_word(word, "nx"))
            options |= only_if_absent;
        else if (is_word(word, "xx"))
            options |= only_if_present;
        else
            return "ERR SET takes NX and XX here, not " + quoted(word) + "; keys do not expire";
    }
    if ((options & only_if_absent) != 0 and (options & only_if_present) != 0)
        return std::string{"ERR syntax error"};
    return options;
}

/// Makes the entry's payload of a request to the cluster, or the error that answers it instead; empty if there is none.
[[nodiscard]] inline std::string
encode_request(Command command, std::span<std::string_view const> words, std::vector<std::byte>& payload)
{
    switch (command) {
    case Command::set: {
        auto const options = set_options(words.subspan(3));
        if (auto const* const complaint = std::get_if<std::string>(&options))
            return *complaint;
        encode_command(payload, Operation::set, std::get<std::uint8_t>(options), words.subspan(1, 2));
        return {};
    }
    case Command::del:
        encode_command(payload, Operation::remove, 0, words.subspan(1));
        return {};
    case Command::incr:
        encode_command(payload, Operation::increment, 0, words.subspan(1));
        return {};
    case Command::mset:
        encode_command(payload, Operation::set_many, 0, words.subspan(1));
        return {};
    default:
        return "ERR not a command for the cluster";
    }
}

/// Writes what came out of a command.
inline void write_answer(std::string& to, Answer const& answer)
{
    struct Writer
    {
        std::string& to;

        void operator()(Stored) const { write_simple(to, "OK"); }
        void operator()(Nothing) const { write_nil(to); }
        void operator()(Number number) const { write_integer(to, number.value); }
        void operator()(Complaint complaint) const { write_error(to, complaint.sentence); }
    };
    std::visit(Writer{to}, answer);
}

inline void write_value(std::string& to, std::string const* value)
{
    if (value == nullptr)
        write_nil(to);
    else
        write_bulk(to, *value);
}

/// Reads the answer to a request for reading out of the state machine. `keys` are the words behind the name.
inline void read_answer(std::string& to, Command command, std::span<std::string const> keys, KeyValue const& machine)
{
    switch (command) {
    case Command::get:
        write_value(to, machine.find(keys.front()));
        return;
    case Command::dbsize:
        write_integer(to, static_cast<std::int64_t>(machine.size()));
        return;
    case Command::exists:
        write_integer(
            to, std::count_if(keys.begin(), keys.end(), [&](auto const& key) { return machine.find(key) != nullptr; }));
        return;
    case Command::mget: {
        auto size = std::size_t{0};
        for (auto const& key : keys)
            if (auto const* const value = machine.find(key))
                size += value->size();
        if (size > answer_bytes_max)
            return write_error(to, "ERR the values are larger than 16 MiB together: ask for fewer keys");
        to.reserve(to.size() + size + 32 * (keys.size() + 1)); // Growing it by doubling would hold twice as much.
        write_array(to, keys.size());
        for (auto const& key : keys)
            write_value(to, machine.find(key));
        return;
    }
    default:
        write_error(to, "ERR not a command for reading");
        return;
    }
}

/// The parameters that redis-benchmark asks for before it starts; there are no others.
inline void write_configuration(std::string& to, std::span<std::string_view const> parameters)
{
    auto const known = [](auto parameter) { return is_word(parameter, "save") or is_word(parameter, "appendonly"); };
    write_array(to, 2 * static_cast<std::size_t>(std::count_if(parameters.begin(), parameters.end(), known)));
    for (auto const parameter : parameters)
        if (known(parameter)) {
            write_bulk(to, parameter);
            write_bulk(to, is_word(parameter, "appendonly") ? "yes" : "");
        }
}

/// The answer to HELLO 2.
inline void write_greeting(std::string& to)
{
    write_array(to, 6);
    write_bulk(to, "server");
    write_bulk(to, "totora-kv");
    write_bulk(to, "version");
    write_bulk(to, redis_version);
    write_bulk(to, "proto");
    write_integer(to, 2);
}

/// Writes the answer of a command that the server answers alone, but for INFO, whose text is `info`.
inline void
local_answer(std::string& to, Command command, std::span<std::string_view const> words, std::string_view info)
{
    switch (command) {
    case Command::ping:
        if (words.size() > 2)
            write_error(to, "ERR wrong number of arguments for 'ping' command");
        else if (words.size() == 2)
            write_bulk(to, words[1]);
        else
            write_simple(to, "PONG");
        return;
    case Command::echo:
        write_bulk(to, words[1]);
        return;
    case Command::info:
        write_bulk(to, info);
        return;
    case Command::config:
        if (not is_word(words[1], "get"))
            return write_error(to, "ERR only CONFIG GET is known: a client can configure nothing");
        return write_configuration(to, words.subspan(2));
    case Command::command:
        write_array(to, 0);
        return;
    case Command::hello:
        if (words.size() > 1 and words[1] != "2")
            return write_error(to, "NOPROTO unsupported protocol version");
        if (words.size() > 2)
            return write_error(to, "ERR HELLO takes the version alone: nobody is authenticated here");
        return write_greeting(to);
    case Command::select:
        if (words[1] != "0")
            return write_error(to, "ERR DB index is out of range");
        return write_simple(to, "OK");
    case Command::quit:
        write_simple(to, "OK");
        return;
    default:
        write_error(to, "ERR not a command for one server");
        return;
    }
}

} // namespace kv
