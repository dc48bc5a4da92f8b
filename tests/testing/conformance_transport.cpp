// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/transport.hpp"

#include "support/tcp.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/transport/loopback.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace totora;
using namespace totora::conformance;

namespace
{

/// What can be wrong with a transport.
enum class Fault
{
    none,
    corrupts,
    invents_senders,
    delivers_to_all,
    alters_entries,
    loses_everything,
    blocks,
    hears_other_lives,
    reuses_memory,
};

/// Passes only while a call waits that should not.
auto waited = std::chrono::milliseconds{0};

SendLimit by_what_was_waited()
{
    auto limit = SendLimit{};
    limit.now = [] { return waited; };
    return limit;
}

/// For what has a part of the machine to wait for: far above what a busy one takes for a call.
SendLimit long_for_any_machine()
{
    auto limit = SendLimit{};
    limit.most = std::chrono::seconds{20};
    return limit;
}

/// The end of a loopback network, with one thing wrong.
template <Fault fault>
class Faulty
{
public:
    Faulty(LoopbackNetwork& network, ServerId id) : end_(network.join(id, first_incarnation)), id_(id) {}

    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        if (fault != Fault::hears_other_lives or incarnation == first_incarnation)
            end_.update(server, incarnation, address);
    }

    void send(Released const& message, Entries const& entries)
    {
        if (fault == Fault::loses_everything)
            return;
        if (fault == Fault::blocks and ++sent_ == 5)
            waited += SendLimit{}.most;
        end_.send(message, entries);
        if (fault == Fault::delivers_to_all and message.to() != ServerId{3} and id_ != ServerId{3}) {
            auto const copy = Envelope{ServerId{3}, message.rpc(), Release::at_once()};
            end_.send(*copy.open(), entries);
        }
    }

    std::optional<TransportEvent> receive()
    {
        auto  event = end_.receive();
        auto* received = event ? std::get_if<Received>(&*event) : nullptr;
        if (received == nullptr)
            return event;
        if (auto* const vote = std::get_if<RequestVoteResponse>(&received->rpc); vote and fault == Fault::corrupts)
            vote->vote_granted = not vote->vote_granted;
        if (fault == Fault::invents_senders)
            received->from = ServerId{received->from.value % 3 + 1};
        if (fault == Fault::alters_entries and received->entries.count() > 0)
            received->entries = received->entries.between(Index{1}, Index{2});
        if (fault == Fault::reuses_memory and received->entries.count() > 0)
            received->entries = into_shared_memory(received->entries);
        return event;
    }

private:
    /// The same entries, in memory that the next message will be put into.
    Entries into_shared_memory(Entries const& entries)
    {
        auto size = std::size_t{0};
        for (auto const entry : entries) {
            std::copy(entry.encoded.begin(), entry.encoded.end(), memory_->begin() + static_cast<std::ptrdiff_t>(size));
            size += entry.encoded.size();
        }
        auto same = Entries{};
        same.add({memory_, std::span<std::byte const>{*memory_}.first(size)}, entries.count());
        return same;
    }

    Loopback                                end_;
    ServerId                                id_;
    int                                     sent_ = 0;
    std::shared_ptr<std::vector<std::byte>> memory_ = std::make_shared<std::vector<std::byte>>(100'000);
};

/// Three servers on a loopback network.
template <Fault fault>
struct Loop
{
    explicit Loop(Carry how = Carry::values) : network(how) {}

    Faulty<fault>& at(ServerId server) { return ends.at(server.value - 1); }
    Incarnation    incarnation_of(ServerId) { return first_incarnation; }
    std::string    address_of(ServerId) { return "nowhere"; }
    void           settle() {}

    LoopbackNetwork              network;
    std::array<Faulty<fault>, 3> ends{Faulty<fault>{network, ServerId{1}}, Faulty<fault>{network, ServerId{2}},
                                      Faulty<fault>{network, ServerId{3}}};
};

/// Three servers with real sockets.
struct Sockets
{
    Sockets()
    {
        for (auto const id : {1U, 2U, 3U})
            servers.push_back(std::make_unique<test::TcpServer>(
                context, test::settings_of({ServerId{id}, Incarnation{std::uint64_t{10} * id}})));
    }

    TcpTransport& at(ServerId server) { return servers.at(server.value - 1)->transport(); }
    Incarnation   incarnation_of(ServerId server) { return Incarnation{10 * server.value}; }
    std::string   address_of(ServerId server) { return at(server).address(); }
    void          settle()
    {
        for (auto times = 0; times < 30; ++times)
            test::run_a_little(context);
    }

    boost::asio::io_context                       context;
    std::vector<std::unique_ptr<test::TcpServer>> servers;
};

template <Fault fault>
std::string caught_by()
{
    auto laws = std::string{};
    for (auto const& broken : check_transport([] { return Loop<fault>{}; }, by_what_was_waited())) {
        BOOST_TEST(not broken.reproduction.empty());
        laws += broken.law + ". ";
    }
    return laws;
}

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_transport)

BOOST_AUTO_TEST_CASE(the_loopback_keeps_all_laws)
{
    BOOST_TEST(told(check_transport([] { return Loop<Fault::none>{}; }, long_for_any_machine())) == "");
    BOOST_TEST(told(check_transport([] { return Loop<Fault::none>{Carry::frames}; }, long_for_any_machine())) == "");
}

BOOST_AUTO_TEST_CASE(the_transport_over_tcp_keeps_all_laws)
{
    BOOST_TEST(told(check_transport([] { return Sockets{}; }, long_for_any_machine())) == "");
}

BOOST_AUTO_TEST_CASE(a_transport_that_breaks_a_law_is_caught_by_that_law)
{
    BOOST_TEST(caught_by<Fault::corrupts>() == "what arrives was sent. ");
    BOOST_TEST(caught_by<Fault::invents_senders>() == "no sender is invented. ");
    BOOST_TEST(caught_by<Fault::delivers_to_all>() == "only the addressee receives. ");
    BOOST_TEST(caught_by<Fault::alters_entries>() == "entries arrive as they were sent. ");
    BOOST_TEST(caught_by<Fault::loses_everything>() == "not everything is lost. ");
    BOOST_TEST(caught_by<Fault::blocks>() == "sending does not block. ");
    BOOST_TEST(caught_by<Fault::hears_other_lives>() == "an answer of another life does not count. ");
    BOOST_TEST(caught_by<Fault::reuses_memory>() == "received entries do not change. ");
}

BOOST_AUTO_TEST_SUITE_END()
