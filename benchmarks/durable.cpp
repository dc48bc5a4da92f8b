// SPDX-License-Identifier: BSL-1.0
// Three processes with logs on the disk, connected by TCP: what a client of a real cluster can expect.
#include "support/trial.hpp"

#include "totora/clock/steady_clock.hpp"
#include "totora/log/posix_files.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/node/driver.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/tcp.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
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

    struct Capture
    {
        Response sum;

        void write(SnapshotSink& sink) const { sink.write(std::as_bytes(std::span{&sum, 1})); }
    };

    [[nodiscard]] Capture       capture() const { return {sum}; }
    [[nodiscard]] std::uint32_t snapshot_format() const { return 1; }

    [[nodiscard]] std::optional<std::string> restore(SnapshotSource& source)
    {
        auto read = Response{};
        if (source.read(std::as_writable_bytes(std::span{&read, 1})) != sizeof read)
            return "it is too short";
        sum = read;
        return std::nullopt;
    }
};

using Log = SegmentedLog<PosixFiles>;
using Node = RaftNode<Adder, Log, TcpTransport, SteadyClock>;

/// The value, or an end of the program with the reason why there is none.
template <typename T, typename Error>
[[nodiscard]] T value_or_end(Result<T, Error> result)
{
    if (not result)
        throw std::runtime_error{result.error().what};
    return *std::move(result);
}

[[nodiscard]] Identity identity_of(Task const& task)
{
    auto identity = Identity{cluster_of("benchmark"), ServerId{task.id}, first_incarnation, {}};
    for (auto at = std::size_t{0}; at < task.ports.size(); ++at)
        identity.first_members.push_back(
            {{ServerId{at + 1}, first_incarnation, MemberKind::voter}, "127.0.0.1:" + std::to_string(task.ports[at])});
    return identity;
}

[[nodiscard]] Log make_log(Task const& task, Identity const& identity)
{
    auto files = value_or_end(PosixFiles::make_directory(task.directory));
    static_cast<void>(value_or_end(Log::create(files, identity)));
    auto options = SegmentedLogOptions{};
    if (task.snapshot_mib > 0)
        options.segment_bytes = task.snapshot_mib << 20U; // So that segments are used again.
    return value_or_end(Log::open(std::move(files), options));
}

[[nodiscard]] NodeSettings settings_of(Task const& task)
{
    auto settings = NodeSettings{};
    settings.snapshots.automatic = task.snapshot_mib > 0;
    settings.snapshots.log_bytes_min = task.snapshot_mib << 20U;
    return settings;
}

[[nodiscard]] TcpTransport make_transport(boost::asio::io_context& context, Identity const& identity)
{
    auto settings = TcpSettings{};
    settings.cluster = identity.cluster;
    settings.self = {identity.id, identity.incarnation};
    settings.listen = identity.first_members[identity.id.value - 1].address;
    settings.seed = identity.id.value;
    return value_or_end(TcpTransport::open(context, std::move(settings)));
}

/// Clients that live beside the leader, so that nothing but the cluster is measured: each proposes its next command when
/// the last one was applied.
class Clients
{
public:
    Clients(Node& node, Task const& task)
        : node_(node), outstanding_(task.outstanding), meter_(task.outstanding, task.bounds),
          payload_(payload_bytes, std::byte{1})
    {
        for (auto client = std::size_t{0}; client < outstanding_; ++client)
            propose();
    }

    [[nodiscard]] Meter& meter() { return meter_; }
    [[nodiscard]] bool   is_lost() const { return is_lost_; } ///< A command was not applied.

private:
    void propose()
    {
        node_.propose(payload_, [this, proposed = Meter::Clock::now()](ProposalOutcome<std::uint64_t> const& outcome) {
            if (not std::holds_alternative<AppliedWith<std::uint64_t>>(outcome))
                is_lost_ = true;
            else {
                meter_.acknowledged(proposed);
                propose();
            }
        });
    }

    Node&                  node_;
    std::size_t            outstanding_;
    Meter                  meter_;
    std::vector<std::byte> payload_;
    bool                   is_lost_ = false;
};

/// Runs the node whenever something woke it or its next alarm is due.
class Loop
{
public:
    Loop(boost::asio::io_context& context, Node& node) : context_(context), driver_(node, [this] { wake(); }) {}

    /// Lets the node do what it can, then waits until there is more to do.
    void turn()
    {
        is_woken_ = false;
        auto const wait_ms = driver_.poll();
        if (not wait_ms)
            context_.run_one();
        else if (*wait_ms > 0)
            context_.run_one_for(std::chrono::milliseconds{*wait_ms});
        context_.poll();
    }

private:
    /// From any thread.
    void wake()
    {
        if (not is_woken_.exchange(true))
            boost::asio::post(context_, [] {});
    }

    boost::asio::io_context& context_;
    std::atomic<bool>        is_woken_ = false;
    Driver<Node>             driver_;
};

int serve(Task const& task)
{
    auto const identity = identity_of(task);
    auto       log = make_log(task, identity);
    auto       context = boost::asio::io_context{1};
    auto       transport = make_transport(context, identity);
    auto       clock = SteadyClock{};
    auto       machine = Adder{};
    auto       node = Node{machine, log, transport, clock, settings_of(task)};
    static_cast<void>(value_or_end(node.start()));
    auto loop = Loop{context, node};
    auto clients = std::optional<Clients>{};
    while (not clients or not clients->meter().is_over()) {
        loop.turn();
        if (not clients and is_leader(node.state()))
            clients.emplace(node, task);
        if (clients and clients->is_lost())
            throw std::runtime_error{"a command was not applied: another server may have been elected"};
    }
    report_to_parent(clients->meter().figures());
    return 0;
}

} // namespace
} // namespace totora::benchmarks

int main(int argc, char** argv)
{
    using namespace totora::benchmarks;
    return run_trial(argc, argv, "durable", "three processes with SegmentedLog and TCP", serve);
}
