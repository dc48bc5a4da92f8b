// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/text.hpp"

#include "support/cluster.hpp"
#include "support/story/story_text.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test
{

/// A cluster of which everything that happens is written down: what each step of a server decides, writes, sends and
/// answers, and what the server is afterwards. What cannot happen throws `std::runtime_error`.
class StoryCluster
{
public:
    explicit StoryCluster(std::vector<State> servers) : cluster_(std::move(servers)) {}

    /// What was written since the last call.
    [[nodiscard]] std::string take_text() { return std::exchange(text_, {}); }

    void start(std::uint64_t count)
    {
        for (auto id = std::uint64_t{1}; id <= count; ++id) {
            players_[ServerId{id}];
            happens(ServerId{id}, Started{}, "starts");
        }
    }

    [[nodiscard]] bool        knows(ServerId id) const { return players_.contains(id); }
    [[nodiscard]] bool        is_down(ServerId id) const { return players_.at(id).down; }
    [[nodiscard]] WriteNumber last_write(ServerId id) const { return players_.at(id).made; }

    void ring(ServerId where, Alarm alarm)
    {
        auto const name = testing::to_string(alarm);
        step(where, "alarm " + name.substr(name.rfind(':') + 1), [&] { return cluster_.rings(where, alarm); });
    }

    template <typename Local>
    void happens(ServerId where, Local const& happening, std::string const& what)
    {
        step(where, what, [&] { return cluster_.happens(where, happening); });
    }

    /// Writes become durable, and what waited for them leaves.
    void persist(ServerId where, WriteNumber write)
    {
        auto earlier = std::map<ServerId, std::size_t>{};
        for (auto const& [to, _] : players_)
            earlier[to] = cluster_.messages_in_flight(where, to).size();
        players_[where].durable = std::max(players_[where].durable, write);
        step(where, "durable up to write " + std::to_string(write.value), [&] {
            auto const outgoing = cluster_.persists(where, write);
            for (auto const& [to, _] : players_) {
                auto const way = cluster_.messages_in_flight(where, to);
                auto const end = way.size() - sent_at_once(outgoing, to); // What waited is in flight before it.
                for (auto at = earlier[to]; at < end; ++at)
                    note("leaves", testing::to_string(to) + ": " + rpc_text(way[at]));
            }
            return outgoing;
        });
    }

    /// The oldest message in flight arrives. As the shell does it, an append whose entries have no room arrives without
    /// them.
    void deliver(ServerId sender, ServerId to)
    {
        auto const way = cluster_.messages_in_flight(sender, to);
        if (way.empty())
            throw std::runtime_error{"nothing is on the way from " + testing::to_string(sender) + " to " +
                                     testing::to_string(to)};
        auto const  from = "from " + testing::to_string(sender) + ": " + rpc_text(way.front());
        auto const* append = std::get_if<AppendEntries>(&way.front());
        if (append == nullptr or append->entries.count == 0 or not lacks_room(cluster_[to]))
            return step(to, from, [&] { return cluster_.deliver(sender, to); });
        auto stripped = *append;
        stripped.entries = Run{stripped.term, next(stripped.previous.index), 0};
        auto message = cluster_.take(sender, to);
        message.body = MessageBody{stripped};
        step(to, from + ", for whose entries there is no room", [&] { return cluster_.arrives(to, message); });
    }

    /// Writes become durable and messages arrive, among these servers (all that run if none is named), until nothing moves.
    void stabilize(std::vector<ServerId> among)
    {
        if (among.empty())
            for (auto const& [id, player] : players_)
                if (not player.down)
                    among.push_back(id);
        for (auto rounds = 0, moved = 1; moved != 0; ++rounds) {
            if (rounds == 100)
                throw std::runtime_error{"the cluster does not come to rest"};
            moved = 0;
            for (auto const id : among)
                if (players_[id].durable < players_[id].made) {
                    persist(id, players_[id].made);
                    ++moved;
                }
            lose_what_cannot_arrive();
            for (auto const sender : among)
                for (auto const to : among)
                    for (auto left = cluster_.messages_in_flight(sender, to).size(); left > 0; --left, ++moved)
                        deliver(sender, to);
        }
    }

    /// The power of a server fails; its writes up to `kept` had become durable.
    void crash(ServerId where, WriteNumber kept)
    {
        players_[where].durable = std::max(players_[where].durable, kept);
        players_[where].down = true;
    }

    void restart(ServerId where)
    {
        auto const kept = players_[where].durable;
        players_[where] = Player{};
        step(where, "restarts", [&] {
            cluster_.loses_power(where, kept);
            return cluster_.outgoing();
        });
    }

    /// From now on no message reaches or leaves a server; or they do again.
    void cut(ServerId where, bool is_cut) { players_[where].cut = is_cut; }

    /// Everything in flight from one server to another is lost; `nobody` means any.
    void drop(ServerId sender, ServerId to)
    {
        for (auto const& [from, _] : players_)
            for (auto const& [receiver, __] : players_)
                if ((sender == nobody or sender == from) and (to == nobody or to == receiver))
                    lose(from, receiver);
    }

    /// Servers that are down or cut off neither send nor receive.
    void lose_what_cannot_arrive()
    {
        for (auto const& [sender, from] : players_)
            for (auto const& [receiver, to] : players_)
                if (from.down or from.cut or to.down or to.cut)
                    lose(sender, receiver);
    }

    void show_states()
    {
        for (auto const& [id, player] : players_)
            headline(id, player.down ? "down" : state_text(cluster_[id]));
    }

    void show_progress(ServerId leader)
    {
        auto const& state = cluster_[leader];
        if (not is_leader(state))
            throw std::runtime_error{"only a leader knows the progress of others"};
        for (auto const& progress : state.followers)
            headline(progress.server, "match " + std::to_string(progress.match.value) + ", next " +
                                          std::to_string(progress.next.value) +
                                          (is_probing(state, progress.server) ? ", probe" : ", replicate"));
    }

private:
    /// What the story keeps of a server beside the cluster.
    struct Player
    {
        WriteNumber made;         ///< The newest write.
        WriteNumber durable;      ///< The newest write that is durable.
        bool        down = false; ///< Crashed and not restarted.
        bool        cut = false;  ///< No message reaches or leaves it.
        std::string state = {};   ///< Its line when it was last written.
    };

    [[nodiscard]] static std::size_t sent_at_once(Outgoing const& outgoing, ServerId to)
    {
        auto const& messages = outgoing.messages;
        return static_cast<std::size_t>(std::count_if(messages.begin(), messages.end(), [&](Envelope const& envelope) {
            return envelope.to() == to and not envelope.release().awaits();
        }));
    }

    /// One step: its headline, what it wants done, and the server afterwards if that line has changed.
    template <typename Advance>
    void step(ServerId where, std::string const& what, Advance advance)
    {
        headline(where, what);
        auto const outgoing = Outgoing{advance()};
        auto&      player = players_[where];
        write_down(outgoing);
        for (auto const& write : outgoing.writes)
            player.made = std::visit([](auto const& made) { return made.write; }, write);
        if (auto now = state_text(cluster_[where]); now != player.state) {
            note("is", now);
            player.state = std::move(now);
        }
    }

    void write_down(Outgoing const& outgoing)
    {
        for (auto const decision : outgoing.decisions)
            note("decides", std::string{to_string(decision)});
        for (auto const& write : outgoing.writes)
            note("writes", write_text(write));
        for (auto const& envelope : outgoing.messages) {
            auto const waits = envelope.release().awaits();
            note("sends", testing::to_string(envelope.to()) + ": " + rpc_text(envelope.rpc()) +
                              (waits ? " (once write " + std::to_string(waits->value) + " is durable)" : ""));
        }
        if (outgoing.apply_through)
            note("applies", "up to index " + std::to_string(outgoing.apply_through->value));
        if (outgoing.answer)
            note("answers", answer_text(*outgoing.answer));
        if (outgoing.read_allowed)
            note("answers", "reads up to round " + std::to_string(outgoing.read_allowed->round.value) +
                                " may be served once index " + std::to_string(outgoing.read_allowed->index.value) +
                                " is applied");
        if (outgoing.failed)
            note("fails", std::string{outgoing.failed->condition});
    }

    void lose(ServerId sender, ServerId to)
    {
        for (auto const& rpc : cluster_.messages_in_flight(sender, to))
            text_ +=
                "lost, " + testing::to_string(sender) + " to " + testing::to_string(to) + ": " + rpc_text(rpc) + "\n";
        cluster_.drop(sender, to);
    }

    void headline(ServerId where, std::string const& what) { text_ += testing::to_string(where) + " " + what + "\n"; }

    void note(std::string const& verb, std::string const& what)
    {
        text_ += "  " + verb + std::string(8 - verb.size(), ' ') + what + "\n";
    }

    Cluster                    cluster_;
    std::map<ServerId, Player> players_;
    std::string                text_;
};

} // namespace totora::test
