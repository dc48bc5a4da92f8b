// SPDX-License-Identifier: BSL-1.0
// A sum that survives crashes. Start three of these, each in a terminal of its own, and type numbers into any:
//     durable 1 one.d 127.0.0.1:7001 127.0.0.1:7002 127.0.0.1:7003
// Without arguments it is a cluster of one server in durable.d beside the program, and adds 1.
#include "totora/clock/steady_clock.hpp"
#include "totora/log/posix_files.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/node/futures.hpp"
#include "totora/node/wake_up.hpp"
#include "totora/totora.hpp"
#include "totora/transport/tcp.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>
using namespace totora;

struct Sum // The state machine: it keeps nothing on disk, and is given the whole log again at every start.
{
    using Response = int;
    int  value = 0;
    void apply(std::span<EntryView const> commands, std::vector<int>& responses)
    {
        for (auto const& command : commands)
            responses.push_back(value += static_cast<int>(command.payload[0]));
    }
    Index applied_index() const { return {}; }
};

using Log = SegmentedLog<PosixFiles>;
using Node = RaftNode<Sum, Log, TcpTransport, SteadyClock>;

int add(Futures<Node>& futures, std::vector<Peer> const& peers, int number)
{
    auto const outcome = futures.propose(std::vector{static_cast<std::byte>(number)}, 5000).get();
    if (auto const* applied = std::get_if<AppliedWith<int>>(&outcome))
        return std::printf("the sum is %d\n", applied->response), 0;
    if (auto const* refused = std::get_if<RefusedBecause>(&outcome); refused != nullptr and refused->leader != nobody)
        return std::printf("ask the leader, at %s\n", address_of(peers, refused->leader).value_or("?").c_str()), 1;
    return std::puts("nobody knows whether it was added"), 1;
}

/// Runs the node, on one thread: all calls of it come from here.
void run(Driver<Node>& driver, boost::asio::io_context& context, std::atomic<bool> const& stop)
{
    while (not stop) {
        auto const wait_ms = driver.poll();
        context.run_one_for(std::chrono::milliseconds{wait_ms.value_or(1000)});
        context.poll();
    }
}

int main(int count, char** words)
{
    auto const alone = count < 4;
    auto const id = ServerId{alone ? 1 : std::stoul(words[1])};
    auto       peers = std::vector<Peer>{};
    for (auto at = 3; at < count; ++at)
        peers.push_back({{ServerId{peers.size() + 1}, first_incarnation}, words[at]});
    if (alone)
        peers.push_back({{id, first_incarnation}, "127.0.0.1:0"});
    auto const identity = Identity{cluster_of("sum", peers), id, first_incarnation, peers};

    auto files = PosixFiles::make_directory(alone ? words[0] + std::string{".d"} : words[2]).value();
    if (auto const made = Log::create(files, identity); not made and made.error().failure != LogFailure::already_exists)
        return std::puts(made.error().what.c_str()), 2;
    auto log = Log::open(std::move(files)).value();
    auto settings = TcpSettings{};
    settings.cluster = identity.cluster;
    settings.self = {id, first_incarnation};
    settings.first_members = members_of(peers);
    settings.life.start = log.start();
    settings.listen = address_of(peers, id).value();
    auto       context = boost::asio::io_context{};
    auto       transport = TcpTransport::open(context, settings).value();
    auto       sum = Sum{};
    auto       clock = SteadyClock{};
    auto       node = Node{sum, log, transport, clock};
    auto const wake = WakeUp{[&] { boost::asio::post(context, [] {}); }};
    auto       driver = Driver<Node>{node, wake.handle()};
    static_cast<void>(node.start().value());
    auto stop = std::atomic<bool>{false};
    auto loop = std::thread{[&] { run(driver, context, stop), node.stop(); }};

    auto futures = Futures{driver};
    auto failed = futures.leader().get() == nobody ? 1 : 0;
    if (alone)
        failed += add(futures, peers, 1);
    for (auto number = 0; not alone and std::cin >> number;)
        static_cast<void>(add(futures, peers, number));
    stop = true;
    wake.handle()();
    loop.join();
    return failed;
}
