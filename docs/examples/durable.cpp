// SPDX-License-Identifier: BSL-1.0
// A sum that survives crashes. Start three of these, each in a terminal of its own, and type numbers into any:
//     durable 1 one.d 127.0.0.1:7001 127.0.0.1:7002 127.0.0.1:7003
// Without arguments it is a cluster of one server in durable.d beside the program, and adds 1.
#include "totora/clock/steady_clock.hpp"
#include "totora/log/posix_files.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/node/futures.hpp"
#include "totora/totora.hpp"
#include "totora/transport/tcp.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <iostream>
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

bool add(Futures<Node>& futures, int number)
{
    auto const outcome = futures.propose(std::vector{static_cast<std::byte>(number)}, 5000).get();
    if (auto const* applied = std::get_if<AppliedWith<int>>(&outcome))
        return std::printf("the sum is %d\n", applied->response) > 0;
    if (auto const* refused = std::get_if<RefusedBecause>(&outcome))
        std::cout << "not added: " << to_string(refused->why) << ", the leader is " << refused->leader << std::endl;
    else
        std::cout << "nobody knows whether it was added" << std::endl;
    return false;
}

int main(int count, char** words)
{
    auto const alone = count < 4;
    auto const arguments = alone ? std::vector<std::string>{"1", words[0] + std::string{".d"}, "127.0.0.1:0"}
                                 : std::vector<std::string>(words + 1, words + count);
    auto       peers = std::vector<Peer>{};
    for (auto at = std::size_t{2}; at < arguments.size(); ++at)
        peers.push_back({{ServerId{at - 1}, first_incarnation}, arguments[at]});
    auto const id = ServerId{std::stoul(arguments[0])};
    auto const identity = Identity{cluster_of("sum", peers), id, first_incarnation, peers};
    auto       context = boost::asio::io_context{};

    // A service makes its directory once, apart from its start: a wiped one must not become the old server again.
    auto files = PosixFiles::make_directory(arguments[1]).value();
    if (auto const made = Log::create(files, identity); not made and made.error().failure != LogFailure::already_exists)
        return std::puts(made.error().what.c_str()), 2;
    auto log = Log::open(std::move(files)).value();
    auto transport = TcpTransport::open(context, {.cluster = identity.cluster,
                                                  .self = {id, first_incarnation},
                                                  .first_members = members_of(peers),
                                                  .life = {.start = log.start()},
                                                  .listen = address_of(peers, id).value()})
                         .value();
    auto sum = Sum{};
    auto clock = SteadyClock{};
    auto node = Node{sum, log, transport, clock};
    auto driver = Driver<Node>{node, [&] { boost::asio::post(context, [] {}); }}; // A wake-up is an empty task.
    static_cast<void>(node.start().value());
    auto stopped = false;
    auto loop = std::thread{[&] { // From here on all calls of the node come from this thread.
        while (not stopped) {
            auto const wait_ms = driver.poll();
            context.run_one_for(std::chrono::milliseconds{wait_ms.value_or(1000)});
            context.poll();
        }
    }};

    auto       futures = Futures{driver};
    auto const good = futures.leader().get() != nobody and (not alone or add(futures, 1));
    for (auto number = 0; not alone and std::cin >> number;)
        add(futures, number);
    driver.post([&](Node&) { node.stop(), stopped = true; });
    loop.join();
    return good ? 0 : 1;
}
