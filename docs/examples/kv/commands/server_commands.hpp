// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../clients/client_state.hpp"
#include "../protocol/resp.hpp"
#include "cluster_commands.hpp"
#include "command_docs.hpp"
#include "command_table.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace kv
{

/// The version of Redis whose manners clients may expect.
inline constexpr std::string_view redis_version = "7.0.0";

/// The longest name of a client or a library, in bytes.
inline constexpr std::size_t client_name_max = 256;

/// The sections of INFO's text that are asked for; all if none is, and nothing for names that there are not.
[[nodiscard]] inline std::string sections_of(std::string_view info, std::span<std::string_view const> names)
{
    auto const is_any = [&](std::string_view section) {
        return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
            return is_word(name, "all") or is_word(name, "default") or is_word(name, "everything") or
                   std::equal(name.begin(), name.end(), section.begin(), section.end(),
                              [](char one, char other) { return lower(one) == lower(other); });
        });
    };
    if (names.empty())
        return std::string{info};
    auto text = std::string{};
    while (not info.empty()) {
        auto const end = std::min(info.find("\r\n# ", 1), info.size());
        auto       section = info.substr(0, end);
        info.remove_prefix(std::min(end + 2, info.size()));
        auto const title = section.substr(0, section.find("\r\n"));
        if (title.size() > 2 and is_any(title.substr(2)))
            text.append(text.empty() ? "" : "\r\n").append(section);
    }
    return text;
}

/// The commands that the server answers alone.
///
/// `Host` is that server: `info()` the text of INFO, `clients()` that of CLIENT LIST, `topology()` the servers of the cluster,
/// `members()` the text of RAFT.STATUS, `shut_down()` stops it.
template <typename Host>
class ServerAnswers
{
public:
    ServerAnswers(std::string& to, ClientState& client, Host const& host) : to_(to), client_(client), host_(host) {}

    void answer(Command command, std::span<std::string_view const> words)
    {
        switch (command) {
        case Command::ping:
            return ping(words);
        case Command::echo:
            return write_bulk(to_, words[1]);
        case Command::info:
            return write_text(to_, sections_of(host_.info(), words.subspan(1)), client_.protocol);
        case Command::config:
            return configuration(words.subspan(1));
        case Command::command:
            return CommandDocs{to_, client_.protocol}.answer(words);
        case Command::cluster:
            return ClusterAnswers{to_, host_.topology(), client_.protocol}.answer(words);
        case Command::role:
            return ClusterAnswers{to_, host_.topology(), client_.protocol}.role();
        case Command::client:
            return client(words.subspan(1));
        case Command::hello:
            return hello(words.subspan(1));
        case Command::auth:
            return auth(words.subspan(1));
        case Command::select:
            return words[1] == "0" ? ok() : write_error(to_, "ERR DB index is out of range");
        case Command::reset:
            client_.name.clear();
            client_.protocol = Protocol::resp2;
            return write_simple(to_, "RESET");
        case Command::shutdown:
            return shut_down(words.subspan(1));
        case Command::raft_status:
            return write_text(to_, host_.members(), client_.protocol);
        case Command::time:
            return time();
        case Command::quit:
        case Command::readonly:
        case Command::readwrite:
            return ok();
        default:
            return write_error(to_, "ERR not a command for one server");
        }
    }

private:
    void ok() { write_simple(to_, "OK"); }

    void ping(std::span<std::string_view const> words)
    {
        if (words.size() > 2)
            return write_error(to_, wrong_number_of_arguments("ping"));
        words.size() == 2 ? write_bulk(to_, words[1]) : write_simple(to_, "PONG");
    }

    /// The parameters that redis-benchmark asks for before it starts, and what belongs to them; there are no others.
    void configuration(std::span<std::string_view const> words)
    {
        using Pair = std::pair<std::string_view, std::string_view>;
        constexpr auto settings = std::array{Pair{"appendonly", "yes"}, Pair{"save", ""}, Pair{"databases", "1"}};
        if (not is_word(words[0], "get"))
            return write_error(to_, "ERR only CONFIG GET is known: a client can configure nothing");
        if (words.size() < 2)
            return write_error(to_, wrong_number_of_arguments("config|get"));
        auto const is_asked_for = [&](Pair const& setting) {
            return std::any_of(words.begin() + 1, words.end(),
                               [&](auto word) { return word == "*" or is_word(word, setting.first); });
        };
        write_map(to_, static_cast<std::size_t>(std::count_if(settings.begin(), settings.end(), is_asked_for)),
                  client_.protocol);
        for (auto const& setting : settings)
            if (is_asked_for(setting)) {
                write_bulk(to_, setting.first);
                write_bulk(to_, setting.second);
            }
    }

    void client(std::span<std::string_view const> words)
    {
        struct Known
        {
            std::string_view name;
            std::size_t      words;
        };
        constexpr auto known = std::array{Known{"id", 1},      Known{"getname", 1}, Known{"setname", 2},
                                          Known{"setinfo", 3}, Known{"info", 1},    Known{"list", 1}};
        auto const     what = words[0];
        auto const     found =
            std::find_if(known.begin(), known.end(), [&](auto const& one) { return is_word(what, one.name); });
        if (found == known.end())
            return write_error(to_, "ERR unknown subcommand " + quoted(what) +
                                        ": CLIENT knows GETNAME, ID, INFO, LIST, SETINFO and SETNAME");
        if (words.size() != found->words)
            return write_error(to_, wrong_number_of_arguments("client|" + std::string{found->name}));
        if (is_word(what, "id"))
            return write_integer(to_, static_cast<std::int64_t>(client_.id));
        if (is_word(what, "getname"))
            return client_.name.empty() ? write_nil(to_, client_.protocol) : write_bulk(to_, client_.name);
        if (is_word(what, "info"))
            return write_text(to_, client_line(client_), client_.protocol);
        if (is_word(what, "list"))
            return write_text(to_, host_.clients(), client_.protocol);
        if (is_word(what, "setname"))
            return set_text(client_.name, words[1]) ? ok() : refuse_name();
        if (is_word(words[1], "lib-name"))
            return set_text(client_.library_name, words[2]) ? ok() : refuse_name();
        if (is_word(words[1], "lib-ver"))
            return set_text(client_.library_version, words[2]) ? ok() : refuse_name();
        write_error(to_, "ERR Unrecognized option " + quoted(words[1]));
    }

    void refuse_name()
    {
        write_error(
            to_,
            "ERR Client names cannot contain spaces, newlines or special characters, or be longer than 256 bytes.");
    }

    [[nodiscard]] static bool set_text(std::string& text, std::string_view to)
    {
        auto const fits = to.size() <= client_name_max and std::all_of(to.begin(), to.end(), [](char letter) {
                              return letter >= '!' and letter <= '~';
                          });
        if (fits)
            text = to;
        return fits;
    }

    void hello(std::span<std::string_view const> words)
    {
        auto protocol = client_.protocol;
        auto name = std::string_view{client_.name};
        if (not words.empty()) {
            if (words[0] != "2" and words[0] != "3")
                return write_error(to_, "NOPROTO unsupported protocol version");
            protocol = words[0] == "3" ? Protocol::resp3 : Protocol::resp2;
            words = words.subspan(1);
        }
        while (not words.empty()) {
            if (is_word(words[0], "auth") and words.size() >= 3) {
                if (words[1] != "default")
                    return refuse_password();
                words = words.subspan(3);
            } else if (is_word(words[0], "setname") and words.size() >= 2) {
                name = words[1];
                words = words.subspan(2);
            } else {
                return write_error(to_, "ERR Syntax error in HELLO option " + quoted(words[0]));
            }
        }
        if (name != client_.name and not set_text(client_.name, name))
            return refuse_name();
        client_.protocol = protocol;
        greet();
    }

    void greet()
    {
        auto const text = [this](std::string_view name, std::string_view value) {
            write_bulk(to_, name);
            write_bulk(to_, value);
        };
        write_map(to_, 7, client_.protocol);
        text("server", "redis");
        text("version", redis_version);
        write_bulk(to_, "proto");
        write_integer(to_, static_cast<std::int64_t>(client_.protocol));
        write_bulk(to_, "id");
        write_integer(to_, static_cast<std::int64_t>(client_.id));
        text("mode", "cluster");
        text("role", host_.topology().is_leader ? "master" : "replica");
        write_bulk(to_, "modules");
        write_array(to_, 0);
    }

    void refuse_password() { write_error(to_, "WRONGPASS invalid username-password pair or user is disabled."); }

    /// As redis without a password: the user "default" may do anything, and there is no other one.
    void auth(std::span<std::string_view const> words)
    {
        if (words.size() > 2)
            return write_error(to_, "ERR syntax error");
        if (words.size() == 1)
            return write_error(to_, "ERR AUTH <password> called without any password configured for the default user. "
                                    "Are you sure your configuration is correct?");
        return words[0] == "default" ? ok() : refuse_password();
    }

    /// Answers nothing, as redis: the connection closes.
    void shut_down(std::span<std::string_view const> words)
    {
        for (auto const word : words)
            if (not is_word(word, "nosave") and not is_word(word, "save") and not is_word(word, "now") and
                not is_word(word, "force"))
                return write_error(to_, "ERR syntax error");
        host_.shut_down();
    }

    void time()
    {
        using namespace std::chrono;
        auto const now = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
        write_array(to_, 2);
        write_bulk(to_, std::to_string(now / 1'000'000));
        write_bulk(to_, std::to_string(now % 1'000'000));
    }

    std::string& to_;
    ClientState& client_;
    Host const&  host_;
};

} // namespace kv
