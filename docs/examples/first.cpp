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
    Index applied_index() const { return {}; } // Nothing survives a restart.
};

int main() // A cluster of one server; docs/examples/counter.cpp has three, docs/examples/kv three processes.
{
    auto const id = ServerId{1};
    auto       sum = Sum{};
    auto       log = MemoryLog{Identity{cluster_of("sum"), id, first_incarnation, {Peer{{id, first_incarnation}, {}}}}};
    auto       network = LoopbackNetwork{};
    auto       transport = network.join(id, first_incarnation);
    auto       clock = SteadyClock{};
    auto       node = RaftNode{sum, log, transport, clock};
    if (not node.start())
        return 1;
    while (node.status().role != RoleName::leader)
        node.turn(); // node/driver.hpp returns when to; a busy loop will do here.
    node.propose(std::vector{std::byte{42}}, [](auto const&) { std::puts("applied"); });
    while (sum.value == 0)
        node.turn();
    std::printf("the sum is %d\n", sum.value);
}
