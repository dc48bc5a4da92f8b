// A snapshot is asked of a node whose state machine takes none.
// first: take_snapshot
// prints: has_snapshots
#include "totora/clock/manual_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/loopback.hpp"

struct Capture
{
    void write(totora::SnapshotSink& sink) const;
};

struct Machine
{
    using Response = int;
    using Capture = ::Capture;

    void          apply(std::span<totora::EntryView const> commands, std::vector<int>& responses);
    totora::Index applied_index() const;
#ifndef TOTORA_EXPECT_FAILURE
    Capture       capture() const;
    std::uint32_t snapshot_format() const;
#endif
    std::optional<std::string> restore(totora::SnapshotSource& source);
};

void use(Machine& machine, totora::MemoryLog& log, totora::Loopback& transport, totora::ManualClock& clock)
{
    auto node = totora::RaftNode{machine, log, transport, clock};
    node.take_snapshot();
}
