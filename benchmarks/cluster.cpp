// SPDX-License-Identifier: BSL-1.0
// Three whole nodes in one thread, connected by memory and with logs in memory: what the library itself costs.
#include "support/allocation_counter.hpp"
#include "support/iterations.hpp"
#include "totora/clock/manual_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/loopback.hpp"

#include <algorithm>
#include <array>
#include <benchmark/benchmark.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

namespace totora::benchmarks
{
namespace
{

/// The cheapest machine that still looks at every command.
struct Adder
{
    using Response = std::uint64_t;
    std::uint64_t sum = 0;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands)
            responses.push_back(sum += static_cast<std::uint64_t>(command.payload[0]));
    }

    [[nodiscard]] Index applied_index() const { return {}; }
};

/// A node and its policies.
struct Server
{
    Server(ServerId id, std::vector<Peer> const& peers, LoopbackNetwork& network)
        : log({cluster_of("benchmark"), id, first_incarnation, peers}), transport(network.join(id, first_incarnation)),
          clock(id.value)
    {}

    Adder                                             machine;
    MemoryLog                                         log;
    Loopback                                          transport;
    ManualClock                                       clock;
    RaftNode<Adder, MemoryLog, Loopback, ManualClock> node{machine, log, transport, clock};
};

/// Three servers, one of which leads.
class Cluster
{
public:
    Cluster()
    {
        auto peers = std::vector<Peer>{};
        for (auto const id : {1U, 2U, 3U})
            peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, {}});
        for (auto at = std::size_t{0}; at < servers_.size(); ++at) {
            servers_[at] = std::make_unique<Server>(peers[at].member.id, peers, network_);
            if (not servers_[at]->node.start())
                return;
        }
        for (auto passed_ms = 0; passed_ms < 10'000 and not leads(*servers_.front()); ++passed_ms) {
            pass_ms(1);
            auto const leader = std::find_if(servers_.begin(), servers_.end(), [](auto const& s) { return leads(*s); });
            if (leader != servers_.end())
                std::iter_swap(servers_.begin(), leader);
        }
    }

    /// Only a sound cluster has a leader.
    [[nodiscard]] bool is_sound() const { return servers_.back() != nullptr and leads(*servers_.front()); }

    [[nodiscard]] auto& leader() { return servers_.front()->node; }

    /// Every node has one turn, the leader first.
    void turn()
    {
        for (auto const& server : servers_)
            server->node.turn();
    }

    /// Time passes, and everything that it brings about is done: heartbeats are sent and answered.
    void pass_ms(std::uint64_t ms)
    {
        for (auto const& server : servers_)
            server->clock.advance_ms(ms);
        do
            turn();
        while (network_.waiting() > 0);
    }

private:
    [[nodiscard]] static bool leads(Server const& server) { return server.node.status().role == RoleName::leader; }

    LoopbackNetwork                        network_;
    std::array<std::unique_ptr<Server>, 3> servers_; ///< The leader is the first.
};

/// How proposals come.
enum class Load : std::uint8_t
{
    closed,    ///< The next are made when these are applied: the leader has two turns for them, each follower one.
    pipelined, ///< The next are made in the leader's turn in which these are applied: one turn each.
    batches,   ///< Like `pipelined`, but all entries of a turn are one proposal with one promise.
};

/// The log in memory forgets nothing: after so much payload or so many entries, a fresh cluster takes over.
constexpr auto payload_bytes_max = std::size_t{64} << 20U;
constexpr auto entries_max = std::size_t{1} << 18U;

/// So many entries go to a millisecond of the cluster's time, so that heartbeats and alarms have their share.
constexpr auto entries_per_ms = std::size_t{1024};

/// Clients of a cluster that keep it busy.
class Clients
{
public:
    Clients(Load load, std::size_t entries_per_turn, std::size_t payload_bytes)
        : load_(load), payload_(payload_bytes, std::byte{1}), payloads_(entries_per_turn, payload_),
          entries_max_(std::min(entries_max, payload_bytes_max / payload_bytes))
    {
        renew();
    }

    [[nodiscard]] bool is_worn_out() const { return proposed_ > entries_max_; }
    [[nodiscard]] bool is_sound() const { return not refused_ and cluster_->is_sound() and applied_ > 0; }

    /// Takes a fresh cluster, and warms it up.
    void renew()
    {
        cluster_.reset();
        cluster_ = std::make_unique<Cluster>();
        proposed_ = applied_ = 0;
        while (proposed_ < 4096 and cluster_->is_sound())
            turn();
    }

    /// One turn's entries are proposed; if the load is closed, they are also applied.
    void turn()
    {
        if (load_ == Load::batches)
            propose_batch();
        else
            for (auto const& payload : payloads_)
                propose(payload);
        proposed_ += payloads_.size();
        cluster_->turn();
        if (load_ == Load::closed)
            cluster_->leader().turn();
        since_ms_ += payloads_.size();
        if (since_ms_ >= entries_per_ms) {
            since_ms_ = 0;
            cluster_->pass_ms(1);
        }
    }

    /// How many entries wait for their end.
    [[nodiscard]] std::size_t open() const { return proposed_ - applied_; }

private:
    void propose(std::span<std::byte const> payload)
    {
        cluster_->leader().propose(payload, [this](ProposalOutcome<Adder::Response> const& outcome) {
            end(std::holds_alternative<AppliedWith<Adder::Response>>(outcome), 1);
        });
    }

    void propose_batch()
    {
        using Responses = std::vector<Adder::Response>;
        cluster_->leader().propose(payloads_, [this](ProposalOutcome<Responses> const& outcome) {
            end(std::holds_alternative<AppliedWith<Responses>>(outcome), payloads_.size());
        });
    }

    void end(bool applied, std::size_t entries)
    {
        applied_ += entries;
        refused_ = refused_ or not applied;
    }

    Load                                    load_;
    std::vector<std::byte>                  payload_;
    std::vector<std::span<std::byte const>> payloads_;
    std::size_t                             entries_max_;
    std::unique_ptr<Cluster>                cluster_;
    std::size_t                             proposed_ = 0; ///< In this cluster.
    std::size_t                             applied_ = 0;  ///< In this cluster.
    std::size_t                             since_ms_ = 0;
    bool                                    refused_ = false;
};

/// One iteration is one turn of `state.range(0)` entries of `state.range(1)` bytes.
void commit(benchmark::State& state, Load load)
{
    auto const batch = static_cast<std::size_t>(state.range(0));
    auto       clients = Clients{load, batch, static_cast<std::size_t>(state.range(1))};
    auto       allocated = std::uint64_t{0};
    auto       allocations_before = allocations;
    auto       entries = std::size_t{0};
    for (auto _ : state) {
        clients.turn();
        entries += batch;
        if (clients.is_worn_out()) {
            state.PauseTiming();
            allocated += allocations - allocations_before;
            clients.renew();
            allocations_before = allocations;
            state.ResumeTiming();
        }
    }
    allocated += allocations - allocations_before;
    if (not clients.is_sound() or clients.open() > (load == Load::closed ? 0 : batch))
        return state.SkipWithError("what was proposed is not applied");
    state.counters["per_entry"] =
        benchmark::Counter(static_cast<double>(entries), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["allocations_per_entry"] = static_cast<double>(allocated) / static_cast<double>(entries);
}

void sizes(benchmark::internal::Benchmark* one, std::vector<std::int64_t> const& batches)
{
    one->ArgNames({"batch", "bytes"})->ArgsProduct({batches, {16, 256, 4096}})->Apply(as_often_as_asked);
}

void small_and_large(benchmark::internal::Benchmark* one) { sizes(one, {1, 256}); }
void large(benchmark::internal::Benchmark* one) { sizes(one, {256}); }

BENCHMARK_CAPTURE(commit, closed, Load::closed)->Name("closed")->Apply(small_and_large);
BENCHMARK_CAPTURE(commit, pipelined, Load::pipelined)->Name("pipelined")->Apply(small_and_large);
BENCHMARK_CAPTURE(commit, batches, Load::batches)->Name("batches")->Apply(large);

} // namespace
} // namespace totora::benchmarks

BENCHMARK_MAIN();
