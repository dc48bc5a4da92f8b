// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/client.hpp"
#include "../../docs/examples/kv/server.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace kv;

namespace
{

/// A server of the cluster whose every answer the test gives, when it wants.
class ScriptedMember
{
public:
    void write(std::span<std::byte const> payload, std::function<void(std::variant<Answer, Refusal>)> done)
    {
        writes.push_back({{payload.begin(), payload.end()}, std::move(done)});
    }

    void read(std::function<void(std::optional<Refusal>)> done) { reads.push_back(std::move(done)); }

    [[nodiscard]] KeyValue const& machine() const { return machine_; }
    [[nodiscard]] std::string     info() const { return "role:master\r\n"; }

    /// Ends the oldest write: applied.
    void apply_write()
    {
        auto [payload, done] = std::move(writes.front());
        writes.erase(writes.begin());
        auto entry = totora::EntryView{};
        entry.payload = payload;
        auto answers = std::vector<Answer>{};
        machine_.apply(std::span{&entry, 1}, answers);
        done(std::move(answers.front()));
    }

    void allow_read(std::size_t which)
    {
        auto const done = std::move(reads[which]);
        reads.erase(reads.begin() + static_cast<std::ptrdiff_t>(which));
        done(std::nullopt);
    }

    struct Write
    {
        std::vector<std::byte>                             payload;
        std::function<void(std::variant<Answer, Refusal>)> done;
    };

    std::vector<Write>                                       writes;
    std::vector<std::function<void(std::optional<Refusal>)>> reads;

private:
    KeyValue machine_;
};

/// A server with a scripted member and one client, all in one thread.
struct Fixture
{
    Fixture()
    {
        BOOST_REQUIRE(server.listen("127.0.0.1", 0).has_value());
        client = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
    }
    ~Fixture() { server.close(); }

    /// Lets everything happen that can; the kernel passes loopback bytes on at once.
    void settle()
    {
        for (auto round = 0; round < 50; ++round)
            context.poll();
    }

    void say(std::string_view bytes)
    {
        client.send(bytes);
        settle();
    }

    /// All that the client has heard since it was asked last.
    std::string heard()
    {
        settle();
        char       bytes[65'536];
        auto       all = std::string{};
        auto const socket = client.socket();
        while (true) {
            auto const received = ::recv(socket, bytes, sizeof bytes, MSG_DONTWAIT);
            if (received == 0)
                all += "<end>";
            if (received <= 0)
                return all;
            all.append(bytes, static_cast<std::size_t>(received));
            settle();
        }
    }

    boost::asio::io_context context{1};
    ScriptedMember          member;
    Server<ScriptedMember>  server{context, member};
    Client                  client;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(connection, Fixture)

BOOST_AUTO_TEST_CASE(answers_stand_in_the_order_of_the_requests)
{
    say("SET a 1\r\nPING\r\nSET b 2\r\nECHO x\r\n");
    BOOST_TEST(member.writes.size() == 2U);
    BOOST_TEST(heard() == "");

    member.writes[1].done(Refusal{"MOVED 0 h:1"});
    BOOST_TEST(heard() == "");
    member.apply_write();
    BOOST_TEST(heard() == "+OK\r\n+PONG\r\n-MOVED 0 h:1\r\n$1\r\nx\r\n");
}

BOOST_AUTO_TEST_CASE(a_read_sees_the_writes_before_it_and_none_behind_it)
{
    say("SET a 1\r\nGET a\r\nSET a 2\r\nGET a\r\n");
    BOOST_TEST(member.writes.size() == 1U);
    BOOST_TEST(member.reads.size() == 1U);

    member.allow_read(0); // The round was quicker than the write.
    BOOST_TEST(heard() == "");
    BOOST_TEST(member.writes.size() == 1U);
    member.apply_write();
    BOOST_TEST(heard() == "+OK\r\n$1\r\n1\r\n");
    BOOST_TEST(member.writes.size() == 1U);
    member.allow_read(0);
    member.apply_write();
    BOOST_TEST(heard() == "+OK\r\n$1\r\n2\r\n");
}

BOOST_AUTO_TEST_CASE(a_refused_read_lets_the_next_write_begin)
{
    say("GET a\r\nSET a 1\r\n");
    BOOST_TEST(member.writes.empty());
    member.reads[0](Refusal{"CLUSTERDOWN no leader"});
    BOOST_TEST(heard() == "-CLUSTERDOWN no leader\r\n");
    BOOST_TEST(member.writes.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_client_without_answers_is_no_longer_read)
{
    auto requests = std::string{};
    for (auto request = std::size_t{0}; request < 2 * unanswered_max; ++request)
        requests += "SET a 1\r\n";
    say(requests);

    BOOST_TEST(member.writes.size() == unanswered_max);
    for (auto request = std::size_t{0}; request < 2 * unanswered_max; ++request) {
        BOOST_REQUIRE(not member.writes.empty());
        member.apply_write();
        settle();
    }
    BOOST_TEST(heard().size() == 2 * unanswered_max * 5);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_listen_costs_bounded_memory)
{
    auto const request = "ECHO " + std::string(60'000, 'v') + "\r\n";
    auto       said = std::size_t{0};
    while (said < 200'000'000) { // Until the kernel's buffers and ours are full.
        auto const sent = ::send(client.socket(), request.data(), request.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        settle();
        if (sent != static_cast<ssize_t>(request.size()))
            break;
        said += request.size();
    }
    BOOST_TEST(said < 50'000'000U);
    BOOST_TEST(heard().size() > said / 2);
}

BOOST_AUTO_TEST_CASE(what_is_no_request_is_answered_and_ends_the_connection)
{
    say("SET a 1\r\n*1\r\n!\r\nPING\r\n");
    BOOST_TEST(heard() == "");
    member.apply_write();
    BOOST_TEST(heard() == "+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n<end>");
    BOOST_TEST(server.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(quit_ends_the_connection_and_nothing_behind_it_happens)
{
    say("PING\r\nQUIT\r\nSET a 1\r\n");
    BOOST_TEST(heard() == "+PONG\r\n+OK\r\n<end>");
    BOOST_TEST(member.writes.empty());
}

BOOST_AUTO_TEST_CASE(a_client_that_only_stops_sending_is_still_answered)
{
    say("SET a 1\r\n");
    ::shutdown(client.socket(), SHUT_WR);
    BOOST_TEST(heard() == "");
    member.apply_write();
    BOOST_TEST(heard() == "+OK\r\n<end>");
}

BOOST_AUTO_TEST_CASE(a_client_that_left_harms_nobody)
{
    say("SET a 1\r\nGET a\r\n");
    client.close();
    settle();
    member.apply_write();
    member.allow_read(0);
    settle();
    BOOST_TEST(server.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(a_server_that_finishes_answers_what_it_has_begun)
{
    say("SET a 1\r\n");
    server.finish();
    BOOST_TEST(heard() == "");
    member.apply_write();
    BOOST_TEST(heard() == "+OK\r\n<end>");
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_said_in_a_sentence)
{
    auto       second = Server<ScriptedMember>{context, member};
    auto const listening = second.listen("127.0.0.1", server.port());
    BOOST_REQUIRE(not listening.has_value());
    BOOST_TEST(listening.error().starts_with("cannot listen for clients on 127.0.0.1:"));
}

BOOST_AUTO_TEST_CASE(answers_that_wait_behind_a_write_count_so_that_one_client_fills_no_memory)
{
    auto const echoed = std::string(1U << 20U, 'e');
    say("SET a 1\r\n");
    auto const request = "*2\r\n$4\r\nECHO\r\n$" + std::to_string(echoed.size()) + "\r\n" + echoed + "\r\n";

    // The connection takes what its limit allows, and the rest stays with the client, whose socket takes no more.
    auto taken = std::size_t{0};
    for (auto stalled = 0; taken < 64 * request.size() and stalled < 20; ++stalled) {
        auto const rest = std::string_view{request}.substr(taken % request.size());
        auto const sent = ::send(client.socket(), rest.data(), rest.size(), MSG_DONTWAIT);
        settle();
        if (sent > 0) {
            taken += static_cast<std::size_t>(sent);
            stalled = -1;
        }
    }

    BOOST_TEST(taken < 32 * request.size());
    BOOST_TEST(member.writes.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
