// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/clients/server.hpp"
#include "../../docs/examples/kv/protocol/client.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kv::connection_tests
{
namespace
{

/// A server of the cluster whose every answer the test gives, when it wants.
class ScriptedMember
{
public:
    void write(std::span<std::byte const> payload, ApplyOrder::Action before,
               std::function<void(std::variant<Answer, Refusal>)> done)
    {
        throw_if_asked();
        writes.push_back({{payload.begin(), payload.end()}, std::move(before), std::move(done)});
    }

    void read(std::function<void(std::optional<Refusal>)> done)
    {
        throw_if_asked();
        reads.push_back(std::move(done));
    }

    void wake() { ++wakes; }

    [[nodiscard]] bool is_loading() const { return loads; }

    [[nodiscard]] KeyValue const& machine() const { return machine_; }
    [[nodiscard]] std::string     info() const
    {
        throw_if_asked();
        return "role:master\r\n";
    }

    [[nodiscard]] Topology topology() const { return topology_of(totora::ClusterId{0xABC}, peers, status, machine_); }
    void                   shut_down() { ++shut_downs; }
    void                   take_snapshot(SnapshotWaits::Done done) { snapshots.push_back(std::move(done)); }

    void change(ChangeWish wish, std::function<void(std::string const&)> done)
    {
        throw_if_asked();
        changes.push_back({std::move(wish), std::move(done)});
    }

    [[nodiscard]] std::string members() const { return "configuration:0\r\n"; }

    /// Applies a write that no client asked for.
    void put(std::string_view key, std::string_view value)
    {
        auto payload = std::vector<std::byte>{};
        encode_command(payload, Operation::set, 0, std::array{key, value});
        write(payload, {}, [](auto const&) {});
        apply_last_write();
    }

    /// Ends the oldest write: applied.
    void apply_write() { apply_writes(1); }

    /// Applies the oldest writes as a node does: all of them, and then notifies the clients that wait.
    void apply_writes(std::size_t count)
    {
        auto const end = writes.begin() + static_cast<std::ptrdiff_t>(count);
        auto       batch = std::vector<Write>(std::move_iterator{writes.begin()}, std::move_iterator{end});
        writes.erase(writes.begin(), end);
        auto answers = std::vector<Answer>{};
        for (auto const& one : batch) {
            if (one.before)
                one.before();
            auto entry = totora::EntryView{};
            entry.payload = one.payload;
            machine_.apply(std::span{&entry, 1}, answers);
        }
        for (auto at = std::size_t{0}; at < batch.size(); ++at)
            batch[at].done(std::move(answers[at]));
    }

    /// Applies the newest write before those that were here.
    void apply_last_write()
    {
        std::rotate(writes.begin(), writes.end() - 1, writes.end());
        apply_write();
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
        ApplyOrder::Action                                 before;
        std::function<void(std::variant<Answer, Refusal>)> done;
    };

    struct Change
    {
        ChangeWish                              wish;
        std::function<void(std::string const&)> done;
    };

    std::vector<Write>                                       writes;
    std::vector<Change>                                      changes;
    std::vector<std::function<void(std::optional<Refusal>)>> reads;
    int                                                      wakes = 0;
    int                                                      shut_downs = 0;
    std::vector<SnapshotWaits::Done>                         snapshots;
    totora::Status                                           status;
    std::vector<totora::Peer>                                peers;
    bool                                                     has_memory = true;
    bool                                                     loads = false;

private:
    void throw_if_asked() const
    {
        if (not has_memory)
            throw std::bad_alloc{};
    }

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

    /// Lets everything happen that can; the kernel passes loopback bytes on at once. The node has a turn when it is woken.
    void settle()
    {
        for (auto round = 0; round < 50; ++round) {
            context.poll();
            if (std::exchange(member.wakes, 0) > 0)
                server.begin_turn();
        }
    }

    /// The same, but the node has no turn.
    void settle_without_turn()
    {
        for (auto round = 0; round < 50; ++round)
            context.poll();
    }

    void ask(std::string_view bytes)
    {
        client.send(bytes);
        settle();
    }

    /// All that the client has received since it was asked last.
    std::string replies()
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
    Server<ScriptedMember>  server{context, member, {connections_max, memory_max}};
    Client                  client;

    static constexpr std::size_t memory_max = std::size_t{32} << 20U;
    static constexpr std::size_t connections_max = 64;
};

std::size_t count_of(std::string_view text, std::string_view words)
{
    auto count = std::size_t{0};
    for (auto at = text.find(words); at != std::string_view::npos; at = text.find(words, at + words.size()))
        ++count;
    return count;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(connection, Fixture)

BOOST_AUTO_TEST_CASE(answers_stand_in_the_order_of_the_requests)
{
    ask("SET a 1\r\nPING\r\nSET b 2\r\nECHO x\r\n");
    BOOST_TEST(member.writes.size() == 2U);
    BOOST_TEST(replies() == "");

    member.writes[1].done(Refusal{"MOVED 0 h:1"});
    BOOST_TEST(replies() == "");
    member.apply_write();
    BOOST_TEST(replies() == "+OK\r\n+PONG\r\n-MOVED 0 h:1\r\n$1\r\nx\r\n");
}

BOOST_AUTO_TEST_CASE(who_asks_for_a_snapshot_is_answered_when_there_is_one)
{
    ask("RAFT.SNAPSHOT\r\nPING\r\nRAFT.SNAPSHOT\r\n");
    BOOST_REQUIRE(member.snapshots.size() == 2U);
    BOOST_TEST(replies() == "");

    member.snapshots[1]({false, "no space is left"});
    BOOST_TEST(replies() == "");
    member.snapshots[0]({true, "it is durable"});
    BOOST_TEST(replies() == "+it is durable\r\n+PONG\r\n-ERR no snapshot was taken: no space is left\r\n");
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_snapshot_may_go)
{
    ask("RAFT.SNAPSHOT\r\n");
    server.close();
    settle();
    member.snapshots.at(0)({true, "it is durable"});
    settle();
    BOOST_TEST(server.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(reads_and_writes_that_follow_each_other_are_handed_over_at_once)
{
    ask("SET a 1\r\nGET a\r\nSET a 2\r\nGET a\r\nINCR a\r\nGET a\r\n");

    BOOST_TEST(member.writes.size() == 3U);
    BOOST_TEST(member.reads.size() == 3U);
    BOOST_TEST(replies() == "");
}

BOOST_AUTO_TEST_CASE(a_read_sees_the_writes_before_it_and_none_that_follow_in_whatever_order_they_end)
{
    auto const requests = "SET a 1\r\nGET a\r\nSET a 2\r\nGET a\r\nMGET a b\r\nINCR a\r\nGET a\r\n";
    auto const answers = "+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n*2\r\n$1\r\n2\r\n$-1\r\n:3\r\n$1\r\n3\r\n";
    // Each bit is a step: the next write is applied, or the oldest read is allowed.
    for (auto order = 0U; order < 128U; ++order) {
        client = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
        ask(requests);
        BOOST_REQUIRE(member.writes.size() == 3U);
        BOOST_REQUIRE(member.reads.size() == 4U);
        for (auto step = 0U; step < 7U; ++step) {
            auto const writes = (order >> step & 1U) != 0U ? not member.writes.empty() : member.reads.empty();
            if (writes)
                member.apply_write();
            else
                member.allow_read(0);
            if (step % 2 == 0)
                settle();
        }
        BOOST_TEST(replies() == answers, "in the order " << order);
    }
}

BOOST_AUTO_TEST_CASE(writes_that_are_applied_together_keep_the_reads_between_them_apart)
{
    ask("INCR n\r\nGET n\r\nINCR n\r\nGET n\r\nEXISTS n\r\nDEL n\r\nGET n\r\nDBSIZE\r\n");
    BOOST_REQUIRE(member.writes.size() == 3U);
    member.apply_writes(3);
    BOOST_TEST(replies() == ":1\r\n$1\r\n1\r\n:2\r\n$1\r\n2\r\n:1\r\n:1\r\n", "the last reads wait for their own word");

    member.put("n", "of another client");
    while (not member.reads.empty())
        member.allow_read(0);
    BOOST_TEST(replies() == "$17\r\nof another client\r\n:1\r\n");
}

BOOST_AUTO_TEST_CASE(a_read_before_a_write_is_not_answered_twice_whatever_the_node_answers_later)
{
    ask("GET a\r\nGET a\r\nSET a 1\r\nGET a\r\n");
    member.apply_write();
    member.reads[0](Refusal{"CLUSTERDOWN no leader"}); // Before the answer leaves,
    BOOST_TEST(replies() == "$-1\r\n$-1\r\n+OK\r\n");

    member.reads[1](Refusal{"CLUSTERDOWN no leader"}); // and after.
    member.reads[2](Refusal{"CLUSTERDOWN no leader"});
    BOOST_TEST(replies() == "-CLUSTERDOWN no leader\r\n");
}

BOOST_AUTO_TEST_CASE(a_refused_read_and_a_refused_write_hold_nobody_back)
{
    ask("GET a\r\nSET a 1\r\nGET a\r\nSET a 2\r\n");
    member.reads[0](Refusal{"CLUSTERDOWN no leader"});
    BOOST_TEST(replies() == "-CLUSTERDOWN no leader\r\n");
    member.writes[0].done(Refusal{"BUSY too much"});
    BOOST_TEST(replies() == "-BUSY too much\r\n");
    member.allow_read(1);
    BOOST_TEST(replies() == "$-1\r\n");
    member.writes.erase(member.writes.begin());
    member.apply_write();
    BOOST_TEST(replies() == "+OK\r\n");
}

BOOST_AUTO_TEST_CASE(a_change_of_the_members_that_takes_long_holds_no_other_client_back)
{
    auto other = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
    ask("RAFT.ADD 4 127.0.0.1:7004 learner force\r\nRAFT.STATUS\r\nRAFT.REMOVE x\r\nRAFT.CANCEL\r\n");
    BOOST_REQUIRE(member.changes.size() == 2U);
    auto const& wish = member.changes[0].wish;
    BOOST_TEST((wish.command == Command::raft_add and wish.newcomer == totora::ServerId{4}));
    BOOST_TEST(wish.address == "127.0.0.1:7004");
    BOOST_TEST((wish.as_learner and wish.forced));
    std::swap(client, other);
    ask("PING\r\n");
    BOOST_TEST(replies() == "+PONG\r\n");
    std::swap(client, other);
    BOOST_TEST(replies() == "");

    member.changes[1].done("");
    member.changes[0].done("ERR the change was taken back");

    BOOST_TEST(replies() == "-ERR the change was taken back\r\n$17\r\nconfiguration:0\r\n\r\n"
                            "-ERR 'x' is no id of a server\r\n+OK\r\n");
}

BOOST_AUTO_TEST_CASE(a_write_waits_for_reads_that_are_too_large_to_be_done_in_one_moment)
{
    member.put("big", std::string(early_cost_max * ClientBudget::bytes_per_unit + 1, 'b'));
    ask("GET big\r\nSET big small\r\n");
    BOOST_TEST(member.writes.empty());
    member.allow_read(0);
    BOOST_TEST(replies().starts_with("$1048577\r\n"));
    BOOST_TEST(member.writes.size() == 1U);
    member.apply_write();
    BOOST_TEST(replies() == "+OK\r\n");
}

BOOST_AUTO_TEST_CASE(all_clients_together_have_no_more_reads_before_writes_than_fit_into_a_turn)
{
    auto request = std::string{};
    write_array(request, 4'001);
    write_bulk(request, "EXISTS");
    for (auto key = 0; key < 4'000; ++key)
        write_bulk(request, "k");
    request += "SET k 1\r\n";
    auto const connect = [&] { return Client::connect(server.port(), std::chrono::milliseconds{1}).value(); };
    auto       clients = std::vector<Client>{};
    for (auto count = 0; count < 6; ++count) {
        clients.push_back(connect());
        clients.back().send(request);
        settle();
    }
    BOOST_TEST(member.reads.size() == 6U);
    BOOST_TEST(member.writes.size() == ClientBudget::work_per_turn / 4'001);

    member.allow_read(0); // What it had taken is free again.
    settle();
    clients.push_back(connect());
    clients.back().send(request);
    settle();
    BOOST_TEST(member.writes.size() == ClientBudget::work_per_turn / 4'001 + 1);
    while (not member.reads.empty())
        member.allow_read(0);
    settle();
    BOOST_TEST(member.writes.size() == 7U, "who had to wait goes on after its own reads");
}

BOOST_AUTO_TEST_CASE(a_value_that_grows_while_a_write_is_on_its_way_costs_its_readers_an_error_and_no_memory)
{
    auto requests = std::string{};
    for (auto read = 0; read < 100; ++read)
        requests += "GET a\r\n";
    ask(requests + "SET a 1\r\n");
    BOOST_REQUIRE(member.writes.size() == 1U);
    member.put("a", std::string(std::size_t{4} << 20U, 'v'));

    member.apply_write();
    settle();

    BOOST_TEST(server.memory_bytes() < early_bytes_max + (std::size_t{8} << 20U));
    auto answers = std::string{};
    for (auto round = 0; round < 100; ++round)
        answers += replies();
    BOOST_TEST(count_of(answers, "-BUSY ") > 90U);
    BOOST_TEST(answers.ends_with("+OK\r\n"));
    BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(a_client_without_answers_is_no_longer_read)
{
    auto requests = std::string{};
    for (auto request = std::size_t{0}; request < 2 * unanswered_max; ++request)
        requests += "SET a 1\r\n";
    ask(requests);

    BOOST_TEST(member.writes.size() == unanswered_max);
    for (auto request = std::size_t{0}; request < 2 * unanswered_max; ++request) {
        BOOST_REQUIRE(not member.writes.empty());
        member.apply_write();
        settle();
    }
    BOOST_TEST(replies().size() == 2 * unanswered_max * 5);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_costs_bounded_memory)
{
    auto const request = "ECHO " + std::string(60'000, 'v') + "\r\n";
    auto       offered = std::size_t{0};
    while (offered < 200'000'000) { // Until the kernel's buffers and ours are full.
        auto const sent = ::send(client.socket(), request.data(), request.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        settle();
        if (sent != static_cast<ssize_t>(request.size()))
            break;
        offered += request.size();
    }
    BOOST_TEST(offered < 50'000'000U);
    BOOST_TEST(replies().size() > offered / 2);
}

BOOST_AUTO_TEST_CASE(what_is_no_request_is_answered_and_ends_the_connection)
{
    ask("SET a 1\r\n*1\r\n!\r\nPING\r\n");
    BOOST_TEST(replies() == "");
    member.apply_write();
    BOOST_TEST(replies() == "+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n<end>");
    BOOST_TEST(server.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(quit_ends_the_connection_and_nothing_after_it_happens)
{
    ask("PING\r\nQUIT\r\nSET a 1\r\n");
    BOOST_TEST(replies() == "+PONG\r\n+OK\r\n<end>");
    BOOST_TEST(member.writes.empty());
}

BOOST_AUTO_TEST_CASE(a_client_that_only_stops_sending_is_still_answered)
{
    ask("SET a 1\r\n");
    ::shutdown(client.socket(), SHUT_WR);
    BOOST_TEST(replies() == "");
    member.apply_write();
    BOOST_TEST(replies() == "+OK\r\n<end>");
}

BOOST_AUTO_TEST_CASE(a_client_that_left_harms_nobody)
{
    ask("SET a 1\r\nGET a\r\n");
    client.close();
    settle();
    member.apply_write();
    member.allow_read(0);
    settle();
    BOOST_TEST(server.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(a_server_that_finishes_answers_what_it_has_begun)
{
    ask("SET a 1\r\n");
    server.finish();
    BOOST_TEST(replies() == "");
    member.apply_write();
    BOOST_TEST(replies() == "+OK\r\n<end>");
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_reported)
{
    auto       second = Server<ScriptedMember>{context, member};
    auto const listening = second.listen("127.0.0.1", server.port());
    BOOST_REQUIRE(not listening.has_value());
    BOOST_TEST(listening.error().starts_with("cannot listen for clients on 127.0.0.1:"));
}

BOOST_AUTO_TEST_CASE(answers_that_wait_for_a_write_count_so_that_one_client_fills_no_memory)
{
    auto const echoed = std::string(1U << 20U, 'e');
    ask("SET a 1\r\n");
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

BOOST_AUTO_TEST_CASE(a_server_that_has_not_applied_its_log_answers_loading_and_does_nothing)
{
    auto const loading = std::string{"-LOADING this server has not applied its log yet: nothing was done\r\n"};
    member.loads = true;
    ask("SET a 1\r\nGET a\r\nPING\r\nECHO x\r\nINFO\r\n");
    BOOST_TEST(replies() == loading + loading + loading + "$1\r\nx\r\n$13\r\nrole:master\r\n\r\n");
    BOOST_TEST(member.writes.empty());
    BOOST_TEST(member.reads.empty());

    member.loads = false;
    ask("PING\r\n");
    BOOST_TEST(replies() == "+PONG\r\n");
}

BOOST_AUTO_TEST_CASE(between_two_turns_of_the_node_a_client_is_served_only_so_much)
{
    auto requests = std::string{};
    for (auto request = std::size_t{0}; request < 2 * ClientBudget::work_per_turn; ++request)
        requests += "PING\r\n";
    auto       answers = std::string{};
    auto const read_on = [&] {
        char piece[65'536];
        for (auto size = ssize_t{1}; size > 0;) {
            size = ::recv(client.socket(), piece, sizeof piece, MSG_DONTWAIT);
            answers.append(piece, size > 0 ? static_cast<std::size_t>(size) : 0U);
            settle_without_turn();
        }
    };
    client.send(requests);
    settle_without_turn();
    read_on();

    BOOST_TEST(count_of(answers, "+PONG") <= ClientBudget::work_per_turn);
    BOOST_TEST(count_of(answers, "+PONG") > ClientBudget::work_per_turn / 2);
    BOOST_TEST(member.wakes == 1);

    for (auto turns = 0; turns < 10; ++turns) {
        server.begin_turn();
        settle_without_turn();
        read_on();
    }
    BOOST_TEST(count_of(answers, "+PONG") == 2 * ClientBudget::work_per_turn);
}

BOOST_AUTO_TEST_CASE(reads_of_many_keys_share_a_turn_with_nobody_else_for_longer_than_its_work)
{
    auto request = std::string{};
    write_array(request, 10'001);
    write_bulk(request, "EXISTS");
    for (auto key = 0; key < 10'000; ++key)
        write_bulk(request, "absent");
    for (auto times = 0; times < 8; ++times) {
        client.send(request);
        settle();
    }
    BOOST_REQUIRE(member.reads.size() == 8U);
    while (not member.reads.empty())
        member.allow_read(0);

    server.begin_turn();
    settle_without_turn();
    char       bytes[4'096];
    auto const size = ::recv(client.socket(), bytes, sizeof bytes, MSG_DONTWAIT);
    BOOST_REQUIRE(size > 0);
    BOOST_TEST((std::string_view{bytes, static_cast<std::size_t>(size)} == ":0\r\n:0\r\n"));
    BOOST_TEST(replies() == ":0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n");
}

BOOST_AUTO_TEST_CASE(a_request_that_no_memory_is_left_for_costs_its_client_the_connection_and_nobody_else_anything)
{
    auto other = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
    settle();
    for (auto const* const request : {"SET a 1\r\n", "GET a\r\n", "INFO\r\n"}) {
        member.has_memory = false;
        client = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
        ask(request);
        BOOST_TEST(replies() == "-ERR outcome unknown: this server has no memory left for the request, and closes the "
                                "connection\r\n<end>");
        member.has_memory = true;
    }
    BOOST_TEST(member.writes.empty());

    other.send("PING\r\n");
    settle();
    char bytes[64];
    BOOST_TEST(::recv(other.socket(), bytes, sizeof bytes, MSG_DONTWAIT) == 7);
    BOOST_TEST(server.connections() == 1U);
}

BOOST_AUTO_TEST_CASE(an_error_that_answers_an_earlier_request_is_true_of_it_too)
{
    ask("SET a 1\r\n");
    member.has_memory = false;
    ask("SET a 2\r\n");

    auto const answer = replies();
    BOOST_TEST(answer.starts_with("-ERR outcome unknown"), "the first may still happen");
    BOOST_TEST(answer.ends_with("\r\n<end>"));
    member.apply_write();
    settle();
    BOOST_TEST(server.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(when_clients_hold_too_much_those_that_hold_the_most_are_closed)
{
    auto const begin = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$8000000\r\n" + std::string(100'000, 'h');
    ask("PING\r\n");
    BOOST_TEST(replies() == "+PONG\r\n");
    auto large = std::vector<Client>{};
    for (auto clients = 0; clients < 8; ++clients) {
        large.push_back(Client::connect(server.port(), std::chrono::milliseconds{1}).value());
        for (auto sent = 0; sent < 60; ++sent) {
            large.back().send(sent == 0 ? std::string_view{begin}
                                        : std::string_view{begin}.substr(begin.size() - 100'000));
            settle();
        }
    }

    BOOST_TEST(server.evictions() > 0U);
    BOOST_TEST(server.memory_bytes() <= memory_max);
    BOOST_TEST(server.connections() > 1U);
    ask("PING\r\n");
    BOOST_TEST(replies() == "+PONG\r\n", "a client that holds little is served");
    large.clear();
    settle();
    BOOST_TEST(server.connections() == 1U);
    BOOST_TEST(server.memory_bytes() < std::size_t{1} << 20U);
}

BOOST_AUTO_TEST_CASE(a_client_that_is_closed_for_what_it_holds_as_its_next_request_begins_is_forgotten)
{
    auto small = Server<ScriptedMember>{context, member, {connections_max, std::size_t{512} << 10U}};
    BOOST_REQUIRE(small.listen("127.0.0.1", 0).has_value());
    auto       large = Client::connect(small.port(), std::chrono::milliseconds{1}).value();
    auto const echo = "*2\r\n$4\r\nECHO\r\n$300000\r\n" + std::string(300'000, 'e');
    for (auto at = std::size_t{0}; at < echo.size(); at += 100'000) {
        large.send(std::string_view{echo}.substr(at, 100'000));
        settle_without_turn();
    }
    BOOST_TEST(small.half_requests() == 1U);
    BOOST_TEST(small.evictions() == 0U);

    large.send("\r\n*2\r\n$4\r\nECHO\r\n"); // Its answer is too much, and half a request is here again.
    settle_without_turn();
    BOOST_TEST(small.evictions() == 1U);
    BOOST_TEST(small.connections() == 0U);
    BOOST_TEST(small.half_requests() == 0U);
    small.close_slow(std::chrono::steady_clock::now() + slow_after);
    small.close();
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_holds_one_large_answer_at_most)
{
    member.put("big", std::string(word_bytes_max - 64, 'b'));
    auto requests = std::string{};
    for (auto request = 0; request < 100; ++request)
        requests += "GET big\r\n";
    ask(requests);
    while (not member.reads.empty())
        member.allow_read(0);
    settle();

    BOOST_TEST(server.memory_bytes() < 2 * word_bytes_max);
    BOOST_TEST(server.evictions() == 0U);
}

BOOST_AUTO_TEST_CASE(a_walk_through_all_keys_takes_many_turns_of_the_node_and_others_are_served)
{
    for (auto key = 0; key < 50'000; ++key)
        member.put("key:" + std::to_string(key), "");
    auto other = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
    for (auto const* const request : {"KEYS key:1\r\n", "SCAN 0 COUNT 100000 MATCH key:1\r\n"}) {
        client.send(request);
        settle();
        member.allow_read(0);
        settle_without_turn();
        char bytes[1'000];
        auto turns = std::size_t{0};
        auto pongs = std::size_t{0};
        while (::recv(client.socket(), bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK) < 0 and turns < 100) {
            server.begin_turn();
            other.send("PING\r\n");
            settle_without_turn();
            auto const size = ::recv(other.socket(), bytes, sizeof bytes, MSG_DONTWAIT);
            pongs += static_cast<std::size_t>(std::max(size, ssize_t{0})) / 7;
            ++turns;
        }
        BOOST_TEST(pongs + 1 >= turns / 2, "they take turns");
        BOOST_TEST(turns > 4U);
        BOOST_TEST(turns < 60U);
        BOOST_TEST(replies().ends_with("*1\r\n$5\r\nkey:1\r\n"));
    }
}

BOOST_AUTO_TEST_CASE(what_a_walk_has_found_counts_as_held_for_its_client)
{
    for (auto key = 0; key < 400; ++key)
        member.put(std::to_string(key) + std::string(20'000, 'k'), "");
    client.send("KEYS *\r\n");
    settle();
    member.allow_read(0);
    settle_without_turn();
    auto most = std::size_t{0};
    for (auto turns = 0; turns < 10; ++turns) {
        most = std::max(most, server.memory_bytes());
        server.begin_turn();
        settle_without_turn();
    }
    BOOST_TEST(most > 6'000'000U);
    BOOST_TEST(replies().starts_with("*400\r\n"));
}

BOOST_AUTO_TEST_CASE(each_answer_is_in_the_protocol_of_when_it_was_asked_for)
{
    ask("GET a\r\nSET a 1 XX\r\nHELLO 3\r\nGET a\r\nHELLO 2\r\nGET a\r\n");
    for (auto rounds = 0; rounds < 3; ++rounds) {
        while (not member.reads.empty())
            member.allow_read(0);
        settle();
        while (not member.writes.empty())
            member.apply_write();
        settle();
    }

    auto const answers = replies();
    BOOST_TEST(answers.starts_with("$-1\r\n$-1\r\n%7\r\n"));
    BOOST_TEST(count_of(answers, "\r\n_\r\n*14\r\n") == 1U);
    BOOST_TEST(answers.ends_with("\r\n$-1\r\n"));
}

BOOST_AUTO_TEST_CASE(answers_depend_on_the_command_and_not_on_what_the_cluster_did_alone)
{
    ask("SETNX a 1\r\nSETNX a 2\r\nSET a 3 NX\r\nGETSET a 4\r\n");
    while (not member.writes.empty())
        member.apply_write();
    BOOST_TEST(replies() == ":1\r\n:0\r\n$-1\r\n$1\r\n1\r\n");
}

BOOST_AUTO_TEST_CASE(shutdown_stops_the_server_answers_nothing_and_ends_the_connection)
{
    ask("PING\r\nSHUTDOWN NOSAVE\r\nSET a 1\r\n");
    BOOST_TEST(replies() == "+PONG\r\n<end>");
    BOOST_TEST(member.shut_downs == 1);
    BOOST_TEST(member.writes.empty());
}

BOOST_AUTO_TEST_CASE(clients_are_listed_in_the_order_in_which_they_came)
{
    auto other = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
    settle();
    ask("CLIENT SETNAME first\r\nCLIENT ID\r\nCLIENT LIST\r\n");

    auto const answers = replies();
    BOOST_TEST(answers.starts_with("+OK\r\n:1\r\n$"));
    auto const list = answers.substr(answers.find("id="));
    BOOST_TEST(list.starts_with("id=1 addr=127.0.0.1:"));
    BOOST_TEST(list.find(" name=first age=0 db=0 cmd=client ") != std::string::npos);
    BOOST_TEST(list.find("\nid=2 addr=127.0.0.1:") != std::string::npos);
    BOOST_TEST(server.connections_taken() == 2U);
    BOOST_TEST(server.requests() == 3U);
}

BOOST_AUTO_TEST_CASE(only_a_follower_of_this_cluster_is_announced_by_somebody_else_than_itself)
{
    auto const name = [](std::uint64_t cluster, std::uint64_t id) {
        return node_name(totora::ClusterId{cluster}, {totora::ServerId{id}, totora::first_incarnation});
    };
    for (auto id = std::uint64_t{1}; id <= 2; ++id)
        member.peers.push_back({{totora::ServerId{id}, totora::first_incarnation}, "h:" + std::to_string(id)});
    member.status.id = member.status.leader = totora::ServerId{1};
    for (auto const& wrong : {name(0xABC, 1), name(0xABC, 3), name(0xABD, 2), std::string{"2"}}) {
        ask("ANNOUNCE " + wrong + " 127.0.0.1:6002\r\n");
        BOOST_TEST(replies() == "-ERR no follower in this cluster has this name\r\n");
    }
    for (auto const& wrong : {std::string{"'a b:1'"}, std::string(300, 'h')}) {
        ask("ANNOUNCE " + name(0xABC, 2) + " " + wrong + "\r\n");
        BOOST_TEST(replies().starts_with("-ERR ANNOUNCE takes"));
    }
    BOOST_TEST(member.writes.empty());

    ask("ANNOUNCE " + name(0xABC, 2) + " 127.0.0.1:6002\r\n");
    BOOST_REQUIRE(member.writes.size() == 1U);
    member.apply_write();

    BOOST_TEST(replies() == "+OK\r\n");
    BOOST_TEST(member.machine().client_address(totora::ServerId{2}) == "127.0.0.1:6002");
    BOOST_TEST(member.machine().client_address(totora::ServerId{1}) == "");
}

BOOST_AUTO_TEST_CASE(when_there_are_as_many_clients_as_there_may_be_one_that_never_asked_gives_way)
{
    ask("PING\r\n");
    auto others = std::vector<Client>{};
    for (auto count = std::size_t{1}; count < connections_max + 10; ++count) {
        others.push_back(Client::connect(server.port(), std::chrono::milliseconds{1}).value());
        settle();
    }
    BOOST_TEST(server.connections() == connections_max);
    BOOST_TEST(server.turned_away() == 10U);
    char bytes[64] = {};
    BOOST_TEST(::recv(others.front().socket(), bytes, sizeof bytes, MSG_DONTWAIT) > 0, "the oldest receives the error");
    BOOST_TEST(std::string_view{bytes}.starts_with("-ERR max number of clients reached\r\n"));
    BOOST_TEST(replies() == "+PONG\r\n", "who has asked stays");
    BOOST_TEST(::recv(others.back().socket(), bytes, sizeof bytes, MSG_DONTWAIT) < 0, "and so does the last to come");
}

BOOST_AUTO_TEST_CASE(when_all_clients_have_asked_there_is_no_place_for_another)
{
    auto others = std::vector<Client>{};
    for (auto count = std::size_t{1}; count < connections_max; ++count)
        others.push_back(Client::connect(server.port(), std::chrono::milliseconds{1}).value());
    for (auto& one : others)
        one.send("PING\r\n");
    ask("PING\r\n");
    BOOST_TEST(replies() == "+PONG\r\n");

    client = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
    BOOST_TEST(replies() == "-ERR max number of clients reached\r\n<end>");
    BOOST_TEST(server.connections() == connections_max - 1, "one has left");
    client = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
    ask("PING\r\n");
    BOOST_TEST(replies() == "+PONG\r\n");
}

BOOST_AUTO_TEST_CASE(clients_that_do_nothing_hold_next_to_nothing)
{
    member.put("a", std::string(10'000, 'v'));
    auto others = std::vector<Client>{};
    for (auto count = 0; count < 50; ++count) {
        others.push_back(Client::connect(server.port(), std::chrono::milliseconds{1}).value());
        if (count % 2 == 0)
            others.back().send("GET a\r\nGET a\r\nPING\r\n");
        settle();
        while (not member.reads.empty())
            member.allow_read(0);
        settle();
        char bytes[65'536];
        while (::recv(others.back().socket(), bytes, sizeof bytes, MSG_DONTWAIT) > 0)
            settle();
    }

    BOOST_TEST(server.connections() == 51U);
    BOOST_TEST(server.memory_bytes() < 51U * 3'072U);
}

BOOST_AUTO_TEST_CASE(half_a_request_holds_about_what_came_of_it)
{
    for (auto const* const half :
         {"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$8000000\r\nhalf", "*60000\r\n$4\r\nMGET\r\n", "GET half of a line"}) {
        client = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
        for (auto const* rest = half; *rest != 0; ++rest) // However it comes.
            ask(std::string_view{rest, 1});
        BOOST_TEST(server.memory_bytes() < 4'096U, half);
    }
}

BOOST_AUTO_TEST_CASE(requests_that_take_long_to_arrive_hold_little_together_and_the_oldest_goes_first)
{
    auto const half = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$8000000\r\n" + std::string(300'000, 'h');
    auto       slow = std::vector<Client>{};
    for (auto count = 0; count < 40; ++count) {
        slow.push_back(Client::connect(server.port(), std::chrono::milliseconds{1}).value());
        slow.back().send(half);
        settle();
    }
    ask("PING\r\nPI"); // And this one is slow too.
    auto const begun = std::chrono::steady_clock::now();
    server.close_slow(begun + slow_after / 2);
    BOOST_TEST(server.connections() == 41U, "none of them is slow yet");

    server.close_slow(begun + slow_after);
    settle();
    BOOST_TEST(server.connections() < 41U);
    BOOST_TEST(server.connections() > 10U);
    BOOST_TEST(server.memory_bytes() <= slow_bytes_max);
    char       bytes[64];
    auto const received = ::recv(slow.front().socket(), bytes, sizeof bytes, MSG_DONTWAIT);
    BOOST_REQUIRE(received > 0);
    BOOST_TEST(std::string_view(bytes, static_cast<std::size_t>(received)).starts_with("-ERR outcome unknown"));
    BOOST_TEST(::recv(slow.back().socket(), bytes, sizeof bytes, MSG_DONTWAIT) < 0);
    ask("NG\r\n");
    BOOST_TEST(replies() == "+PONG\r\n+PONG\r\n");
}

BOOST_AUTO_TEST_CASE(clients_that_send_on_are_not_slow_whatever_they_have_begun_with)
{
    auto const value = std::string(300'000, 'h');
    auto const begin = "*2\r\n$4\r\nECHO\r\n$300000\r\n" + value.substr(1);
    auto const end_and_begin = "h\r\n" + begin;
    auto       steady = std::vector<Client>{};
    for (auto count = 0; count < 60; ++count) {
        steady.push_back(Client::connect(server.port(), std::chrono::milliseconds{1}).value());
        steady.back().send(begin);
        settle();
    }
    auto const begun = std::chrono::steady_clock::now();
    for (auto& one : steady) { // Each ends one request and begins another.
        one.send(end_and_begin);
        settle();
    }

    server.close_slow(begun + slow_after);
    BOOST_TEST(server.connections() == 61U);
    BOOST_TEST(server.memory_bytes() > slow_bytes_max);
}

BOOST_AUTO_TEST_CASE(clients_that_wait_for_the_cluster_are_not_slow)
{
    auto requests = std::string{};
    for (auto request = std::size_t{0}; request < 2 * unanswered_max; ++request)
        requests += "SET a 0123456789\r\n";
    auto waiting = std::vector<Client>{};
    for (auto count = 0; count < 62; ++count) {
        waiting.push_back(Client::connect(server.port(), std::chrono::milliseconds{1}).value());
        waiting.back().send(requests + "SET a");
        settle();
    }
    BOOST_REQUIRE(server.memory_bytes() > slow_bytes_max);

    server.close_slow(std::chrono::steady_clock::now() + 10 * slow_after);

    BOOST_TEST(server.connections() == 63U);
    BOOST_TEST(server.evictions() == 0U);
}

BOOST_AUTO_TEST_CASE(clients_that_will_send_no_more_and_wait_for_the_cluster_are_not_slow)
{
    auto const half = "SET a 1\r\n*2\r\n$4\r\nECHO\r\n$300000\r\n" + std::string(200'000, 'h');
    auto       waiting = std::vector<Client>{};
    for (auto count = 0; count < 60; ++count) {
        waiting.push_back(Client::connect(server.port(), std::chrono::milliseconds{1}).value());
        waiting.back().send(half);
        ::shutdown(waiting.back().socket(), SHUT_WR);
        settle();
    }
    BOOST_REQUIRE(server.memory_bytes() > slow_bytes_max);

    server.close_slow(std::chrono::steady_clock::now() + 10 * slow_after);

    BOOST_TEST(server.connections() == 61U);
    BOOST_TEST(server.evictions() == 0U);
}

BOOST_AUTO_TEST_CASE(one_request_alone_takes_as_long_as_it_takes)
{
    auto const begin = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$8000000\r\n" + std::string(100'000, 'h');
    for (auto sent = 0; sent < 79; ++sent) {
        client.send(sent == 0 ? std::string_view{begin} : std::string_view{begin}.substr(begin.size() - 100'000));
        settle();
    }
    server.close_slow(std::chrono::steady_clock::now() + slow_after);
    BOOST_TEST(server.memory_bytes() > 7'900'000U);
    client.send(std::string(100'000, 'h') + "\r\n");
    settle();
    BOOST_TEST(member.writes.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_client_whose_host_is_gone_is_noticed)
{
    ask("PING\r\n");
    auto local = sockaddr_in{};
    auto size = socklen_t{sizeof local};
    BOOST_REQUIRE(::getsockname(client.socket(), reinterpret_cast<sockaddr*>(&local), &size) == 0);
    auto const is_other_end = [&](int descriptor) {
        auto peer = sockaddr_in{};
        auto peer_size = socklen_t{sizeof peer};
        return ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 and
               peer.sin_port == local.sin_port;
    };
    auto found = 0;
    while (found < 1'000 and not is_other_end(found))
        ++found;
    BOOST_REQUIRE(is_other_end(found));
    auto const option = [&](int level, int name) {
        auto value = 0;
        auto value_size = socklen_t{sizeof value};
        ::getsockopt(found, level, name, &value, &value_size);
        return value;
    };

    BOOST_TEST(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
    BOOST_TEST(option(IPPROTO_TCP, TCP_KEEPIDLE) == keep_alive_seconds);
    BOOST_TEST(option(IPPROTO_TCP, TCP_KEEPINTVL) == keep_alive_pause_seconds);
    BOOST_TEST(option(IPPROTO_TCP, TCP_KEEPCNT) == keep_alive_probes);
}

BOOST_AUTO_TEST_CASE(a_flood_of_new_clients_leaves_the_node_its_turns)
{
    settle();
    server.begin_turn();
    auto others = std::vector<Client>{};
    for (auto count = 0; count < 400; ++count)
        others.push_back(Client::connect(server.port(), std::chrono::milliseconds{1}).value());
    auto const came = [&] { return server.connections() - 1 + server.turned_away(); };
    settle_without_turn();
    BOOST_TEST(came() > 100U);
    BOOST_TEST(came() < 400U);
    settle();
    BOOST_TEST(came() == 400U);
}

BOOST_AUTO_TEST_CASE(what_is_http_ends_the_connection_and_nothing_that_follows_happens)
{
    ask("PING\r\nPOST / HTTP/1.1\r\nSET a 1\r\n");
    BOOST_TEST(replies() == "+PONG\r\n-ERR Protocol error: this is no web server\r\n<end>");
    client = Client::connect(server.port(), std::chrono::milliseconds{1}).value();
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\nSET a 1\r\n");
    BOOST_TEST(replies() == "-ERR Protocol error: this is no web server\r\n<end>");
    BOOST_TEST(member.writes.empty());
    BOOST_TEST(server.http_refused() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::connection_tests
