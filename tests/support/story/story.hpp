// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/story/story_cluster.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test
{

/// A script that commands a cluster, one line at a time. docs/testing.md has the commands. What a command cannot mean throws
/// `std::runtime_error`.
class Story
{
public:
    /// Carries out a command, and returns the lines that it adds.
    [[nodiscard]] std::string command(std::string const& line)
    {
        words_ = words_of(line);
        auto const quietly = words_.size() > 1 and words_[0] == "quietly";
        if (quietly)
            words_.erase(words_.begin());
        if (not prepare() and not drive() and not disturb() and not look())
            throw std::runtime_error{"no such command: " + line};
        if (not cluster_)
            return {};
        cluster_->lose_what_cannot_arrive();
        auto text = cluster_->take_text();
        return quietly ? std::string{} : text;
    }

private:
    bool prepare()
    {
        if (is("set"))
            set(word(1), word(2));
        else if (is("server"))
            declare();
        else if (is("start"))
            start();
        else
            return false;
        return true;
    }

    void set(std::string const& name, std::string const& value)
    {
        if (name == "pre_vote")
            settings_.pre_vote = value == "on";
        else if (name == "append_entries_max")
            settings_.append_entries_max = number(value);
        else
            throw std::runtime_error{"no such setting: " + name};
    }

    /// `server S1 term 3 log 1 1 2`: the durable state of the next server before the story begins.
    void declare()
    {
        auto log = TermRuns{};
        for (auto at = std::size_t{5}; at < words_.size(); ++at)
            log.append({Term{number(word(at))}, next(log.last().index), 1});
        declared_.emplace_back(Term{number(word(3))}, std::move(log));
        if (word(1) != "S" + std::to_string(declared_.size()))
            throw std::runtime_error{"servers are declared in order"};
    }

    void start()
    {
        if (declared_.empty())
            declared_.resize(number(word(1)));
        auto servers = std::vector<State>{};
        for (auto const& [term, log] : declared_) {
            servers.push_back(server(ServerId{servers.size() + 1}, term, log, declared_.size()));
            servers.back().settings = settings_;
        }
        cluster_.emplace(std::move(servers));
        cluster_->start(declared_.size());
    }

    bool drive()
    {
        if (is("campaign")) {
            cluster().ring(up(1), Alarm::leader_silent);
            cluster().ring(up(1), Alarm::election);
        } else if (is("silence")) {
            for (auto const server : servers_from(1))
                cluster().ring(server, Alarm::leader_silent);
        } else if (is("heartbeat")) {
            cluster().ring(up(1), Alarm::heartbeat);
        } else if (is("quorum-check")) {
            cluster().ring(up(1), Alarm::quorum_check);
        } else if (is("propose")) {
            cluster().happens(up(1), Proposed{number(word(2))}, "is proposed " + word(2));
        } else if (is("read")) {
            cluster().happens(up(1), ReadRequested{}, "is asked to read");
        } else if (is("persist")) {
            for (auto const server : servers_from(1))
                cluster().persist(server, cluster().last_write(server));
        } else if (is("deliver")) {
            cluster().deliver(up(1), up(2));
        } else if (is("stabilize")) {
            cluster().stabilize(servers_from(1));
        } else {
            return false;
        }
        return true;
    }

    bool disturb()
    {
        if (is("drop"))
            cluster().drop(words_.size() > 1 ? known(1) : nobody, words_.size() > 2 ? known(2) : nobody);
        else if (is("crash"))
            cluster().crash(up(1), words_.size() > 2 ? WriteNumber{number(word(2))} : WriteNumber{});
        else if (is("restart"))
            cluster().restart(known(1));
        else if (is("cut") or is("heal"))
            cluster().cut(known(1), is("cut"));
        else if (is("room"))
            cluster().happens(up(1), RoomChanged{room_named(word(2))}, "has room for " + word(2));
        else if (is("pause"))
            cluster().happens(up(1), AppendsCut{known(2), Index{number(word(3))}},
                              "sends " + word(2) + " nothing after index " + word(3));
        else
            return false;
        return true;
    }

    bool look()
    {
        if (is("state"))
            cluster().show_states();
        else if (is("progress"))
            cluster().show_progress(up(1));
        else
            return false;
        return true;
    }

    // --- Words ------------------------------------------------------------------------------------------------------

    [[nodiscard]] static std::vector<std::string> words_of(std::string_view line)
    {
        auto words = std::vector<std::string>{};
        while (not line.empty()) {
            auto const end = std::min(line.find(' '), line.size());
            if (end > 0)
                words.emplace_back(line.substr(0, end));
            line.remove_prefix(std::min(end + 1, line.size()));
        }
        return words;
    }

    [[nodiscard]] bool is(std::string_view name) const { return word(0) == name; }

    [[nodiscard]] std::string const& word(std::size_t at) const
    {
        if (at >= words_.size())
            throw std::runtime_error{"the command needs more words"};
        return words_[at];
    }

    [[nodiscard]] static std::uint64_t number(std::string const& digits)
    {
        if (digits.empty() or digits.size() > 9 or digits.find_first_not_of("0123456789") != std::string::npos)
            throw std::runtime_error{digits + " is not a number"};
        return std::stoull(digits);
    }

    [[nodiscard]] static LogRoom room_named(std::string const& name)
    {
        if (name == "everything")
            return LogRoom::enough;
        if (name == "votes")
            return LogRoom::reserve_only;
        if (name == "nothing")
            return LogRoom::nothing;
        throw std::runtime_error{"no room is called " + name};
    }

    [[nodiscard]] ServerId known(std::size_t at)
    {
        auto const& name = word(at);
        auto const  id = name.starts_with('S') ? ServerId{number(name.substr(1))} : nobody;
        if (not cluster().knows(id))
            throw std::runtime_error{"no such server: " + name};
        return id;
    }

    /// A server that runs.
    [[nodiscard]] ServerId up(std::size_t at)
    {
        auto const id = known(at);
        if (cluster().is_down(id))
            throw std::runtime_error{word(at) + " is down"};
        return id;
    }

    [[nodiscard]] std::vector<ServerId> servers_from(std::size_t at)
    {
        auto servers = std::vector<ServerId>{};
        for (; at < words_.size(); ++at)
            servers.push_back(up(at));
        return servers;
    }

    [[nodiscard]] StoryCluster& cluster()
    {
        if (not cluster_)
            throw std::runtime_error{"the cluster was not started"};
        return *cluster_;
    }

    Settings                               settings_;
    std::vector<std::pair<Term, TermRuns>> declared_;
    std::optional<StoryCluster>            cluster_;
    std::vector<std::string>               words_;
};

} // namespace totora::test
