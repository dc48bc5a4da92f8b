// SPDX-License-Identifier: BSL-1.0
// The whole idea: three servers in one thread agree on a number. See docs/examples/kv for the real thing.
#include "totora/clock/manual_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/totora.hpp"
#include "totora/transport/loopback.hpp"

#include <cstdio>
#include <deque>
using namespace totora;

struct Counter // What is replicated: any class with these three names.
{
    using Response = int;
    int  value = 0;
    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands)
            responses.push_back(value += static_cast<int>(command.payload[0]));
    }
    Index applied_index() const { return {}; } // It keeps nothing over a restart.
};

struct Server // A node and its four policies; each could be yours.
{
    Server(ServerId id, std::vector<Peer> const& peers, LoopbackNetwork& network)
        : log({cluster_of("counter"), id, first_incarnation, peers}), transport(network.join(id, first_incarnation)),
          clock(id.value)
    {}
    Counter                                             counter;
    MemoryLog                                           log;
    Loopback                                            transport;
    ManualClock                                         clock;
    RaftNode<Counter, MemoryLog, Loopback, ManualClock> node{counter, log, transport, clock};
};

int main()
{
    auto peers = std::vector<Peer>{};
    for (auto id : {1U, 2U, 3U})
        peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, {}});
    auto network = LoopbackNetwork{};
    auto servers = std::deque<Server>{};
    for (auto const& peer : peers)
        if (not servers.emplace_back(peer.member.id, peers, network).node.start())
            return 1;
    auto done = false;
    for (auto ms = 0, asked = 0; ms < 5000 and not done; ++ms)
        for (auto& server : servers) {
            server.clock.advance_ms(1);
            while (server.node.turn()) {}
            if (server.node.status().role == RoleName::leader and asked++ == 0)
                server.node.propose(std::vector{std::byte{42}}, [&](auto const& outcome) {
                    auto const* applied = std::get_if<AppliedWith<int>>(&outcome);
                    done = applied != nullptr and std::printf("the counter is %d\n", applied->response) > 0;
                });
        }
    return done ? 0 : 1;
}
