// SPDX-License-Identifier: BSL-1.0
#include "totora/clock/steady_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/totora.hpp"
#include "totora/transport/loopback.hpp"
#include <cstdio>
using namespace totora;

struct Sum // The state machine: what is replicated.
{
    using Response = int;
    int  value = 0;
    void apply(std::span<EntryView const> commands, std::vector<int>& responses)
    {
        for (auto const& command : commands)
            responses.push_back(value += static_cast<int>(command.payload[0]));
    }
    Index applied_index() const { return {}; } // It keeps nothing over a restart.
};

int main() // A cluster of one server; docs/examples/counter.cpp has three, docs/examples/kv three processes.
{
    auto const id = ServerId{1};
    auto const self = Peer{{id, first_incarnation}, "here"}; // All members are named, each with its address.
    auto       sum = Sum{};
    auto       log = MemoryLog{Identity{cluster_of("sum"), id, first_incarnation, {self}}};
    auto       network = LoopbackNetwork{};
    auto       transport = network.join(id, first_incarnation);
    auto       clock = SteadyClock{};
    auto       node = RaftNode{sum, log, transport, clock};
    auto       done = false;
    if (not node.start())
        return 1;
    while (not done) {
        node.turn(); // node/driver.hpp tells when to; a loop that never rests will do here.
        if (node.status().role == RoleName::leader and sum.value == 0)
            node.propose(std::vector{std::byte{42}}, [&](auto const&) { done = true; });
    }
    std::printf("the sum is %d\n", sum.value);
}
