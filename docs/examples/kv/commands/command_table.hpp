// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace kv
{

enum class Command : std::uint8_t
{
    // Answered by the server that was asked.
    auth,
    client,
    cluster,
    command,
    config,
    echo,
    hello,
    info,
    ping,
    quit,
    raft_status,
    readonly,
    readwrite,
    reset,
    role,
    select,
    shutdown,
    snapshot,
    time,
    // Read from the state machine once the node allows it.
    dbsize,
    exists,
    get,
    keys,
    mget,
    scan,
    strlen,
    type,
    // Proposed to the cluster.
    announce,
    append,
    decr,
    decrby,
    del,
    flushall,
    getset,
    incr,
    incrby,
    mset,
    set,
    setnx,
    // Of operators: they change the members of the cluster.
    raft_add,
    raft_cancel,
    raft_demote,
    raft_move,
    raft_promote,
    raft_remove,
    raft_replace,
    raft_transfer,
};

/// Who answers a command.
enum class Audience : std::uint8_t
{
    server,    ///< The server that was asked.
    reader,    ///< The state machine, once the node allows it.
    cluster,   ///< All servers: it is proposed.
    operators, ///< The leader, when the members have changed, or another one leads.
};

/// Where the keys stand among a command's words, as COMMAND has it: first, last (-1 is the last word), and by how many steps.
struct KeyPlaces
{
    int first = 0;
    int last = 0;
    int step = 0;
};

inline constexpr KeyPlaces no_keys{};
inline constexpr KeyPlaces one_key{1, 1, 1};
inline constexpr KeyPlaces all_keys{1, -1, 1};
inline constexpr KeyPlaces every_second{1, -1, 2};

struct CommandRule
{
    std::string_view name;
    Command          command;
    Audience         audience;
    int              arity; ///< As redis counts: words with the name; -n means n or more.
    KeyPlaces        keys;
    std::string_view group; ///< Where COMMAND DOCS files it.
    std::string_view summary;
};

/// The most frequent ones first.
inline constexpr auto command_rules = std::array{
    CommandRule{"get", Command::get, Audience::reader, 2, one_key, "string", "Returns the value of a key."},
    CommandRule{"set", Command::set, Audience::cluster, -3, one_key, "string",
                "Sets the value of a key; with NX only a new one, with XX only one that is there."},
    CommandRule{"mget", Command::mget, Audience::reader, -2, all_keys, "string", "Returns the values of keys."},
    CommandRule{"mset", Command::mset, Audience::cluster, -3, every_second, "string", "Sets the values of keys."},
    CommandRule{"del", Command::del, Audience::cluster, -2, all_keys, "generic", "Removes keys."},
    CommandRule{"incr", Command::incr, Audience::cluster, 2, one_key, "string", "Adds one to a number."},
    CommandRule{"exists", Command::exists, Audience::reader, -2, all_keys, "generic",
                "Counts the keys that are there."},
    CommandRule{"ping", Command::ping, Audience::server, -1, no_keys, "connection", "Answers."},
    CommandRule{"announce", Command::announce, Audience::cluster, 3, no_keys, "cluster",
                "Announces to the leader where clients find a follower."},
    CommandRule{"append", Command::append, Audience::cluster, 3, one_key, "string", "Adds text to the end of a value."},
    CommandRule{"auth", Command::auth, Audience::server, -2, no_keys, "connection", "Authenticates the client."},
    CommandRule{"client", Command::client, Audience::server, -2, no_keys, "connection", "Lists clients."},
    CommandRule{"cluster", Command::cluster, Audience::server, -2, no_keys, "cluster", "Describes the servers."},
    CommandRule{"command", Command::command, Audience::server, -1, no_keys, "server", "Describes the commands."},
    CommandRule{"config", Command::config, Audience::server, -2, no_keys, "server", "Lists the settings."},
    CommandRule{"dbsize", Command::dbsize, Audience::reader, 1, no_keys, "server", "Counts all keys."},
    CommandRule{"decr", Command::decr, Audience::cluster, 2, one_key, "string", "Takes one off a number."},
    CommandRule{"decrby", Command::decrby, Audience::cluster, 3, one_key, "string", "Takes a number off a number."},
    CommandRule{"echo", Command::echo, Audience::server, 2, no_keys, "connection", "Returns its word."},
    CommandRule{"flushall", Command::flushall, Audience::cluster, -1, no_keys, "server", "Removes all keys."},
    CommandRule{"flushdb", Command::flushall, Audience::cluster, -1, no_keys, "server", "Removes all keys."},
    CommandRule{"getset", Command::getset, Audience::cluster, 3, one_key, "string",
                "Sets the value of a key and returns the one before."},
    CommandRule{"hello", Command::hello, Audience::server, -1, no_keys, "connection", "Chooses the protocol."},
    CommandRule{"incrby", Command::incrby, Audience::cluster, 3, one_key, "string", "Adds a number to a number."},
    CommandRule{"info", Command::info, Audience::server, -1, no_keys, "server", "Describes this server."},
    CommandRule{"keys", Command::keys, Audience::reader, 2, no_keys, "generic",
                "Returns the keys that match a pattern."},
    CommandRule{"quit", Command::quit, Audience::server, -1, no_keys, "connection", "Closes the connection."},
    CommandRule{"raft.add", Command::raft_add, Audience::operators, -3, no_keys, "cluster",
                "Lets a server in, as a voter or a LEARNER."},
    CommandRule{"raft.cancel", Command::raft_cancel, Audience::operators, 1, no_keys, "cluster",
                "Takes back the change of the members that is under way."},
    CommandRule{"raft.demote", Command::raft_demote, Audience::operators, 2, no_keys, "cluster",
                "Makes a voter a learner."},
    CommandRule{"raft.move", Command::raft_move, Audience::operators, 3, no_keys, "cluster",
                "Gives a member another address, where it runs now."},
    CommandRule{"raft.promote", Command::raft_promote, Audience::operators, -2, no_keys, "cluster",
                "Makes a learner a voter."},
    CommandRule{"raft.remove", Command::raft_remove, Audience::operators, -2, no_keys, "cluster", "Removes a member."},
    CommandRule{"raft.replace", Command::raft_replace, Audience::operators, -4, no_keys, "cluster",
                "Removes a member and lets another server in, in one change."},
    CommandRule{"raft.snapshot", Command::snapshot, Audience::server, 1, no_keys, "server",
                "Takes a snapshot, by which this server's log is made shorter."},
    CommandRule{"raft.status", Command::raft_status, Audience::server, 1, no_keys, "cluster",
                "Shows the members, and a change of them."},
    CommandRule{"raft.transfer", Command::raft_transfer, Audience::operators, -1, no_keys, "cluster",
                "Lets another server lead, this one or the one that can soonest."},
    CommandRule{"readonly", Command::readonly, Audience::server, 1, no_keys, "cluster",
                "Does nothing: reads are done by the leader all the same."},
    CommandRule{"readwrite", Command::readwrite, Audience::server, 1, no_keys, "cluster", "Does nothing."},
    CommandRule{"reset", Command::reset, Audience::server, 1, no_keys, "connection", "Makes the connection as new."},
    CommandRule{"role", Command::role, Audience::server, 1, no_keys, "server", "Shows who leads and who follows."},
    CommandRule{"scan", Command::scan, Audience::reader, -2, no_keys, "generic",
                "Returns some keys, and where to go on."},
    CommandRule{"select", Command::select, Audience::server, 2, no_keys, "connection",
                "Takes database 0, the only one."},
    CommandRule{"setnx", Command::setnx, Audience::cluster, 3, one_key, "string", "Sets the value of a new key."},
    CommandRule{"shutdown", Command::shutdown, Audience::server, -1, no_keys, "server", "Stops this server."},
    CommandRule{"strlen", Command::strlen, Audience::reader, 2, one_key, "string", "Returns the length of a value."},
    CommandRule{"time", Command::time, Audience::server, 1, no_keys, "server", "Shows the time of this server."},
    CommandRule{"touch", Command::exists, Audience::reader, -2, all_keys, "generic", "Counts the keys that are there."},
    CommandRule{"type", Command::type, Audience::reader, 2, one_key, "generic", "Shows the type of a value: string."},
    CommandRule{"unlink", Command::del, Audience::cluster, -2, all_keys, "generic", "Removes keys."},
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

[[nodiscard]] inline std::string wrong_number_of_arguments(std::string_view name)
{
    return std::string{"ERR wrong number of arguments for '"}.append(name).append("' command");
}

/// As redis counts words.
[[nodiscard]] constexpr bool fits(int arity, std::size_t words)
{
    auto const count = static_cast<int>(words);
    return arity < 0 ? count >= -arity : count == arity;
}

[[nodiscard]] constexpr CommandRule const* find_rule(std::string_view word)
{
    for (auto const& rule : command_rules)
        if (is_word(word, rule.name))
            return &rule;
    return nullptr;
}

/// A request that can be done, or the error that answers it.
using Understood = std::variant<CommandRule, std::string>;

/// Finds the command that a request means, and checks the number of its words. There is at least one.
[[nodiscard]] inline Understood understand(std::span<std::string_view const> words)
{
    auto const* const rule = find_rule(words.front());
    if (rule == nullptr)
        return "ERR unknown command " + quoted(words.front()) +
               ": this is a small store, and COMMAND LIST names what it knows";
    if (not fits(rule->arity, words.size()) or (rule->command == Command::mset and words.size() % 2 == 0))
        return wrong_number_of_arguments(rule->name);
    return *rule;
}

} // namespace kv
