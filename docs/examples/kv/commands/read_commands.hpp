// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../clients/client_budget.hpp"
#include "../machine/key_value.hpp"
#include "../protocol/resp.hpp"
#include "command_table.hpp"
#include "glob.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace kv
{

/// The most bytes of values that MGET may gather, or of keys KEYS; a client that asks for more is answered by an error.
inline constexpr std::size_t answer_bytes_max = std::size_t{16} << 20U;

/// The most bytes of keys that SCAN gathers, but for the last key: its client asks for more itself.
inline constexpr std::size_t scan_bytes_max = std::size_t{1} << 20U;

/// A way through the keys of the store, for KEYS and SCAN. It takes as many turns of the node as it needs, and meanwhile keys
/// are written: each that is there from its first turn to its last is found, once.
struct Walk
{
    std::uint64_t       position = 0;
    std::uint64_t       count = 0; ///< How many keys to look at, or ten times as many empty buckets.
    std::size_t         bytes_max = 0;
    std::string         pattern;
    std::optional<Glob> glob{}; ///< Made of the pattern when it begins.
    std::uint64_t       looked = 0;
    std::uint64_t       steps = 0;
    std::size_t         found = 0;
    std::string         keys{}; ///< As the elements of an array.
    bool                is_ended = false;
};

/// A request for reading out of the state machine, and how far it is done.
struct Reading
{
    Command                  command;
    std::vector<std::string> keys; ///< The words after the name; none for a walk.
    std::optional<Walk>      walk;
    Protocol                 protocol = Protocol::resp2;
};

/// The options of SCAN and its cursor, or the error that answers them.
[[nodiscard]] inline std::variant<Walk, std::string> read_scan(std::span<std::string_view const> words)
{
    auto              walk = Walk{.count = 10, .bytes_max = scan_bytes_max, .pattern = "*"};
    auto const        cursor = words[1];
    auto const* const end = cursor.data() + cursor.size();
    auto const [stopped_at, failure] = std::from_chars(cursor.data(), end, walk.position);
    if (failure != std::errc{} or stopped_at != end or walk.position >= Values::positions)
        return std::string{"ERR invalid cursor"};
    for (auto options = words.subspan(2); not options.empty(); options = options.subspan(2)) {
        if (options.size() == 1)
            return std::string{"ERR syntax error"};
        if (is_word(options[0], "match")) {
            walk.pattern = options[1];
        } else if (is_word(options[0], "count")) {
            auto const count = parse_integer(options[1]);
            if (not count)
                return std::string{"ERR value is not an integer or out of range"};
            if (*count < 1)
                return std::string{"ERR syntax error"};
            walk.count = static_cast<std::uint64_t>(*count);
        } else if (is_word(options[0], "type")) {
            if (not is_word(options[1], "string")) // There are no others.
                walk.bytes_max = 0;
        } else {
            return std::string{"ERR syntax error"};
        }
    }
    return walk;
}

/// What is to be read for a request, or the error that answers it.
[[nodiscard]] inline std::variant<Reading, std::string>
reading_of(Command command, std::span<std::string_view const> words, Protocol protocol)
{
    auto reading = Reading{command, {}, std::nullopt, protocol};
    if (command == Command::scan) {
        auto walk = read_scan(words);
        if (auto* const complaint = std::get_if<std::string>(&walk))
            return std::move(*complaint);
        reading.walk = std::get<Walk>(std::move(walk));
    } else if (command == Command::keys) {
        reading.walk = Walk{.count = std::numeric_limits<std::uint64_t>::max(),
                            .bytes_max = answer_bytes_max,
                            .pattern = std::string{words[1]}};
    } else {
        reading.keys.assign(words.begin() + 1, words.end());
    }
    return reading;
}

inline void write_value(std::string& to, std::string const* value, Protocol protocol)
{
    if (value == nullptr)
        write_nil(to, protocol);
    else
        write_bulk(to, *value);
}

inline void read_values(std::string& to, Reading const& reading, KeyValue const& machine)
{
    auto size = std::size_t{0};
    for (auto const& key : reading.keys)
        if (auto const* const value = machine.find(key))
            size += value->size();
    if (size > answer_bytes_max)
        return write_error(to, "ERR the values are larger than 16 MiB together: ask for fewer keys");
    to.reserve(to.size() + size + 32 * (reading.keys.size() + 1)); // Growing it by doubling would hold twice as much.
    write_array(to, reading.keys.size());
    for (auto const& key : reading.keys)
        write_value(to, machine.find(key), reading.protocol);
}

/// What it costs to look at a key, which is in no cache: it takes about a microsecond.
inline constexpr std::size_t units_per_key = 4;

/// Goes on with a walk as long as there is work to spend.
inline void walk_on(Walk& walk, KeyValue const& machine, ClientBudget& budget)
{
    while (budget.has_work() and not walk.is_ended) {
        auto units = std::size_t{1};
        walk.position = machine.walk(walk.position, [&](std::string const& key, std::string const&) {
            ++walk.looked;
            units += units_per_key + key.size() / ClientBudget::bytes_per_unit;
            if (walk.bytes_max == 0 or not walk.glob->matches(key))
                return walk.looked < walk.count;
            ++walk.found;
            write_bulk(walk.keys, key);
            return walk.looked < walk.count and walk.keys.size() < walk.bytes_max;
        });
        budget.spend(units);
        ++walk.steps;
        walk.is_ended = walk.position == 0 or walk.looked >= walk.count or walk.steps / 10 >= walk.count or
                        (walk.bytes_max > 0 and walk.keys.size() >= walk.bytes_max);
    }
}

/// The answer of KEYS or SCAN, once the walk has ended. False if it has not.
[[nodiscard]] inline bool read_walk(std::string& to, Reading& reading, KeyValue const& machine, ClientBudget& budget)
{
    auto& walk = *reading.walk;
    if (not walk.glob)
        walk.glob = Glob::read(walk.pattern);
    if (not walk.glob) {
        write_error(to, "ERR the pattern is longer than 512 letters");
        return true;
    }
    walk_on(walk, machine, budget);
    if (not walk.is_ended)
        return false;
    if (reading.command == Command::keys and walk.position != 0) {
        write_error(to, "ERR the keys are larger than 16 MiB together: use SCAN");
        return true;
    }
    if (reading.command == Command::scan) {
        write_array(to, 2);
        write_bulk(to, std::to_string(walk.position));
    }
    to.reserve(to.size() + walk.keys.size() + 32);
    write_array(to, walk.found);
    to.append(walk.keys);
    return true;
}

/// Reads the answer to a request for reading out of the state machine, as far as the budget allows; what it costs is
/// spent. False if it goes on in the next turn of the node.
[[nodiscard]] inline bool read_answer(std::string& to, Reading& reading, KeyValue const& machine, ClientBudget& budget)
{
    auto const  before = to.size();
    auto const  is_present = [&](auto const& key) { return machine.find(key) != nullptr; };
    auto const& keys = reading.keys;
    auto        is_done = true;
    switch (reading.command) {
    case Command::get:
        write_value(to, machine.find(keys.front()), reading.protocol);
        break;
    case Command::mget:
        read_values(to, reading, machine);
        break;
    case Command::dbsize:
        write_integer(to, static_cast<std::int64_t>(machine.size()));
        break;
    case Command::exists:
        write_integer(to, std::count_if(keys.begin(), keys.end(), is_present));
        break;
    case Command::strlen: {
        auto const* const value = machine.find(keys.front());
        write_integer(to, value == nullptr ? 0 : static_cast<std::int64_t>(value->size()));
        break;
    }
    case Command::type:
        write_simple(to, is_present(keys.front()) ? "string" : "none");
        break;
    case Command::keys:
    case Command::scan:
        is_done = read_walk(to, reading, machine, budget);
        break;
    default:
        write_error(to, "ERR not a command for reading");
        break;
    }
    budget.spend(1 + keys.size() + (to.size() - before) / ClientBudget::bytes_per_unit);
    return is_done;
}

} // namespace kv
