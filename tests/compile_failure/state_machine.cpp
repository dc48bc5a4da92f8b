// A state machine that does not report how far it is.
// first: state_machine
// first: readable.applied_index()
#include "totora/clock/manual_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/loopback.hpp"

struct Machine
{
    using Response = int;

    void apply(std::span<totora::EntryView const> commands, std::vector<int>& responses);
#ifdef TOTORA_EXPECT_FAILURE
    totora::Index applied_index(); // On a constant machine it cannot be called.
#else
    totora::Index applied_index() const;
#endif
};

void use(Machine& machine, totora::MemoryLog& log, totora::Loopback& transport, totora::ManualClock& clock)
{
    auto const node = totora::RaftNode{machine, log, transport, clock};
}
