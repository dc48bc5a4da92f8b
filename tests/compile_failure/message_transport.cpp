// A transport that would send messages that may not leave yet.
// first: message_transport
// first: transport.send(message, entries)
#include "totora/clock/manual_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/node/raft_node.hpp"

struct Machine
{
    using Response = int;

    void          apply(std::span<totora::EntryView const> commands, std::vector<int>& responses);
    totora::Index applied_index() const;
};

struct Transport
{
#ifdef TOTORA_EXPECT_FAILURE
    void send(totora::Envelope const& message, totora::Entries const& entries);
#else
    void send(totora::Released const& message, totora::Entries const& entries);
#endif
    std::optional<totora::TransportEvent> receive();
    void update(totora::ServerId server, totora::Incarnation incarnation, std::string_view address);
};

void use(Machine& machine, totora::MemoryLog& log, Transport& transport, totora::ManualClock& clock)
{
    auto const node = totora::RaftNode{machine, log, transport, clock};
}
