// A log that reports what is durable with a number, which anybody could make.
// first: durable_log
// first: log.durable()
#include "totora/clock/manual_clock.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/loopback.hpp"

struct Machine
{
    using Response = int;

    void          apply(std::span<totora::EntryView const> commands, std::vector<int>& responses);
    totora::Index applied_index() const;
};

struct Log : totora::DurableSource
{
    totora::Result<totora::Recovered, totora::LogError> recover();
    void save_vote(totora::WriteNumber write, totora::Term term, std::optional<totora::ServerId> vote);
    void append(totora::WriteNumber write, totora::Entries const& entries);
    void truncate(totora::WriteNumber write, totora::Index index);
    void save_commit(totora::Index index);
    void sync();
#ifdef TOTORA_EXPECT_FAILURE
    totora::WriteNumber durable();
#else
    totora::Durable durable();
#endif
    std::optional<totora::LogError> failure() const;
    totora::LogPosition             last() const;
    totora::Result<totora::Entries, totora::LogError>
                  read(totora::Index first, totora::Index last, std::uint64_t bytes);
    std::uint64_t bytes(totora::Index first, totora::Index last) const;
    bool          has_room(std::uint64_t bytes) const;
    void          close();
};

void use(Machine& machine, Log& log, totora::Loopback& transport, totora::ManualClock& clock)
{
    auto const node = totora::RaftNode{machine, log, transport, clock};
}
