// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../machine/key_value.hpp"
#include "../protocol/resp.hpp"
#include "../start/options.hpp"
#include "command_table.hpp"
#include "node_name.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kv
{

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

/// The number that a command adds; the complaint of redis if there is none.
[[nodiscard]] inline std::variant<std::int64_t, std::string>
number_to_add(Command command, std::span<std::string_view const> words)
{
    if (command == Command::decr)
        return std::int64_t{-1};
    auto const number = parse_integer(words[2]);
    if (not number or std::to_string(*number) != words[2]) // Like redis, which takes neither "07" nor "-0".
        return std::string{"ERR value is not an integer or out of range"};
    if (command == Command::incrby)
        return *number;
    if (*number == std::numeric_limits<std::int64_t>::min())
        return std::string{"ERR decrement would overflow"};
    return -*number;
}

/// The longest address that clients are sent to.
inline constexpr std::size_t announced_bytes_max = 261;

/// Each of these makes the entry's payload of one command, or the error that answers it instead; empty if there is none.
[[nodiscard]] inline std::string
encode_announce(std::span<std::string_view const> words, std::vector<std::byte>& payload)
{
    auto const server = server_named(words[1]);
    if (not server or not is_one_word(words[2]) or words[2].size() > announced_bytes_max)
        return "ERR ANNOUNCE takes the name of a server, as CLUSTER MYID gives it, and host:port";
    encode_announcement(payload, *server, words[2]);
    return {};
}

[[nodiscard]] inline std::string encode_set(std::span<std::string_view const> words, std::vector<std::byte>& payload)
{
    auto const options = set_options(words.subspan(3));
    if (auto const* const complaint = std::get_if<std::string>(&options))
        return *complaint;
    encode_command(payload, Operation::set, std::get<std::uint8_t>(options), words.subspan(1, 2));
    return {};
}

[[nodiscard]] inline std::string
encode_addition(Command command, std::span<std::string_view const> words, std::vector<std::byte>& payload)
{
    auto const number = number_to_add(command, words);
    if (auto const* const complaint = std::get_if<std::string>(&number))
        return *complaint;
    auto       bytes = std::array<std::byte, 8>{};
    auto const more = encode_number(bytes, static_cast<std::uint64_t>(std::get<std::int64_t>(number)));
    encode_command(payload, Operation::add, 0, std::array{words[1], more});
    return {};
}

[[nodiscard]] inline std::string
encode_flushall(std::span<std::string_view const> words, std::vector<std::byte>& payload)
{
    if (words.size() > 2 or (words.size() == 2 and not is_word(words[1], "async") and not is_word(words[1], "sync")))
        return "ERR syntax error";
    encode_command(payload, Operation::clear, 0, {});
    return {};
}

/// Makes the entry's payload of a request to the cluster, or the error that answers it instead; empty if there is none.
[[nodiscard]] inline std::string
encode_request(Command command, std::span<std::string_view const> words, std::vector<std::byte>& payload)
{
    switch (command) {
    case Command::announce:
        return encode_announce(words, payload);
    case Command::set:
        return encode_set(words, payload);
    case Command::setnx:
        encode_command(payload, Operation::set, only_if_absent, words.subspan(1));
        return {};
    case Command::getset:
        encode_command(payload, Operation::exchange, 0, words.subspan(1));
        return {};
    case Command::append:
        encode_command(payload, Operation::append, 0, words.subspan(1));
        return {};
    case Command::del:
        encode_command(payload, Operation::remove, 0, words.subspan(1));
        return {};
    case Command::incr: // Which servers of every version can apply.
        encode_command(payload, Operation::increment, 0, words.subspan(1));
        return {};
    case Command::incrby:
    case Command::decr:
    case Command::decrby:
        return encode_addition(command, words, payload);
    case Command::mset:
        encode_command(payload, Operation::set_many, 0, words.subspan(1));
        return {};
    case Command::flushall:
        return encode_flushall(words, payload);
    default:
        return "ERR not a command for the cluster";
    }
}

/// Writes what a command was answered by the state machine.
inline void
write_answer(std::string& to, Answer const& answer, Command command = Command::set, Protocol protocol = Protocol::resp2)
{
    struct Writer
    {
        std::string& to;
        bool         counts; ///< SETNX answers how many keys it set.
        Protocol     protocol;

        void operator()(Stored) const { counts ? write_integer(to, 1) : write_simple(to, "OK"); }
        void operator()(Nothing) const { counts ? write_integer(to, 0) : write_nil(to, protocol); }
        void operator()(Number number) const { write_integer(to, number.value); }
        void operator()(Complaint complaint) const { write_error(to, complaint.what); }
        void operator()(OldValue const& value) const { write_bulk(to, value.text); }
    };
    std::visit(Writer{to, command == Command::setnx, protocol}, answer);
}

} // namespace kv
