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

int main() // A cluster of one server; docs/examples/counter.cpp has three, docs/examples/durable.cpp one that survives.
{
    auto const self = Member{ServerId{1}, first_incarnation};
    auto       sum = Sum{};
    auto       log = MemoryLog{{cluster_of("sum"), self.id, self.incarnation, {{self, {}}}}};
    auto       network = LoopbackNetwork{};
    auto       transport = network.join(self.id, self.incarnation);
    auto       clock = SteadyClock{};
    auto       node = RaftNode{sum, log, transport, clock};
    static_cast<void>(node.start().value());
    while (node.turn() or node.status().role != RoleName::leader) {} // A busy loop; Driver::poll paces it.
    node.propose(std::vector{std::byte{42}}, [&](auto const&) { std::printf("the sum is %d\n", sum.value); });
    while (node.turn() or sum.value == 0) {}
}
