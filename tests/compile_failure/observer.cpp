// An observer that would change what it is shown.
// first: invocable
// first: NodeEvent const&
#include "totora/clock/manual_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/loopback.hpp"

struct Machine
{
    using Response = int;

    void          apply(std::span<totora::EntryView const> commands, std::vector<int>& responses);
    totora::Index applied_index() const;
};

struct Observer
{
#ifdef TOTORA_EXPECT_FAILURE
    void operator()(totora::NodeEvent& event);
#else
    void operator()(totora::NodeEvent const& event);
#endif
};

void use(Machine& machine, totora::MemoryLog& log, totora::Loopback& transport, totora::ManualClock& clock)
{
    auto const node = totora::RaftNode{machine, log, transport, clock, totora::NodeSettings{}, Observer{}};
}
