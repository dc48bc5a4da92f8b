// A clock that forgets which arming rings.
// first: alarm_clock
// first: clock.arm(alarm, arming, delay)
#include "totora/log/memory_log.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/loopback.hpp"

struct Machine
{
    using Response = int;

    void          apply(std::span<totora::EntryView const> commands, std::vector<int>& responses);
    totora::Index applied_index() const;
};

struct Clock
{
#ifdef TOTORA_EXPECT_FAILURE
    void arm(totora::Alarm alarm, totora::Delay delay);
#else
    void arm(totora::Alarm alarm, totora::Arming arming, totora::Delay delay);
#endif
    void                             cancel(totora::Alarm alarm);
    std::optional<totora::AlarmRang> ring();
    std::optional<std::uint64_t>     next_ring_ms() const;
    std::uint64_t                    now_ms() const;
};

void use(Machine& machine, totora::MemoryLog& log, totora::Loopback& transport, Clock& clock)
{
    auto const node = totora::RaftNode{machine, log, transport, clock};
}
