// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../protocol/resp.hpp"

#include "totora/core/values/result.hpp"
#include "totora/data/identity.hpp"
#include "totora/transport/tcp_address.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kv
{

/// What is wrong with the command line, in one line.
using Complaining = totora::Unexpected<std::string>;

/// "--name value" pairs, each name at most once.
class Options
{
public:
    [[nodiscard]] static totora::Result<Options, std::string> read(std::span<std::string_view const>       words,
                                                                   std::initializer_list<std::string_view> names,
                                                                   std::initializer_list<std::string_view> flags)
    {
        auto options = Options{};
        while (not words.empty()) {
            auto const name = words.front();
            auto const is_flag = std::find(flags.begin(), flags.end(), name) != flags.end();
            if (not is_flag and std::find(names.begin(), names.end(), name) == names.end())
                return Complaining{"unknown option '" + std::string{name} + "'"};
            if (not is_flag and words.size() < 2)
                return Complaining{"the option " + std::string{name} + " needs a value"};
            if (not options.values_.emplace(name, is_flag ? std::string_view{} : words[1]).second)
                return Complaining{"the option " + std::string{name} + " is given twice"};
            words = words.subspan(is_flag ? 1 : 2);
        }
        return options;
    }

    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const
    {
        auto const found = values_.find(name);
        return found == values_.end() ? std::nullopt : std::optional{found->second};
    }

    /// The first of these that is missing.
    [[nodiscard]] std::optional<std::string_view> missing(std::initializer_list<std::string_view> names) const
    {
        for (auto const name : names)
            if (not values_.contains(name))
                return name;
        return std::nullopt;
    }

private:
    std::map<std::string_view, std::string_view> values_;
};

/// A whole number from `least` to `most`, in decimal digits.
[[nodiscard]] inline std::optional<std::uint64_t>
parse_number(std::string_view text, std::uint64_t least, std::uint64_t most)
{
    auto const number = parse_integer(text);
    if (not number or *number < 0 or static_cast<std::uint64_t>(*number) < least or
        static_cast<std::uint64_t>(*number) > most)
        return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

/// Reads the address of a server, "host:port" or "[host]:port"; nothing if it is neither, or its port is 0.
[[nodiscard]] inline std::optional<totora::HostAndPort> parse_peer_address(std::string_view text)
{
    auto address = totora::split_address(text);
    if (not address or text.size() > totora::address_size_max or parse_number(address->port, 1, 65'535) == std::nullopt)
        return std::nullopt;
    return address;
}

/// Whether a text has neither blanks nor what cannot be printed. The empty one has none.
[[nodiscard]] inline bool is_one_word(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char letter) { return letter >= '!' and letter <= '~'; });
}

/// Whether a text can be a host, alone: a name, or the number of an address. With a port after it, it is none.
[[nodiscard]] inline bool is_host(std::string_view text)
{
    auto failure = boost::system::error_code{};
    static_cast<void>(boost::asio::ip::make_address(std::string{text}, failure));
    return not failure or (is_one_word(text) and text.find(':') == std::string_view::npos);
}

/// Whether a host stands for every address of a machine: one listens there, and nobody can be found there.
[[nodiscard]] inline bool is_any_address(std::string_view host)
{
    auto       failure = boost::system::error_code{};
    auto const address = boost::asio::ip::make_address(std::string{host}, failure);
    return not failure and address.is_unspecified();
}

/// "1=HOST:PORT,2=HOST:PORT": servers, and where they are. `option` is named where something is wrong.
[[nodiscard]] inline totora::Result<std::vector<totora::Peer>, std::string>
parse_peer_list(std::string const& option, std::string_view text)
{
    auto peers = std::vector<totora::Peer>{};
    if (text.ends_with(','))
        return Complaining{option + " ends in a comma"};
    for (auto rest = text; not rest.empty();) {
        auto const one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        auto const equals = one.find('=');
        auto const id = parse_number(one.substr(0, equals), 1, totora::number_max);
        auto const address =
            equals == std::string_view::npos ? std::nullopt : parse_peer_address(one.substr(equals + 1));
        if (not id or not address or not is_one_word(address->host))
            return Complaining{"'" + std::string{one} + "' in " + option + " is not ID=HOST:PORT"};
        if (is_any_address(address->host))
            return Complaining{
                "'" + std::string{one} + "' in " + option +
                " is no address at which others find a server: give the address to listen on with --listen"};
        for (auto const& earlier : peers) {
            if (earlier.address == one.substr(equals + 1))
                return Complaining{option + " names the address " + earlier.address + " twice"};
            if (earlier.member.id.value == *id)
                return Complaining{option + " names server " + std::to_string(*id) + " twice"};
        }
        auto const member = totora::Member{totora::ServerId{*id}, totora::first_incarnation};
        peers.push_back({member, std::string{one.substr(equals + 1)}});
    }
    return peers;
}

} // namespace kv
