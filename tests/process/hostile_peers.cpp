// SPDX-License-Identifier: BSL-1.0
// The peer port of a cluster that serves, and what others do there: nothing changes a term, a log or a leader.
// What only TLS can stop stands in docs/security.md.
#include "process/kv_cluster.hpp"
#include "process/peer_port.hpp"
#include "totora/wire/codec.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test::hostile_peers_tests
{

using namespace totora::process;

namespace
{

constexpr auto outsider = Party{ServerId{99}, Incarnation{1}};

[[nodiscard]] Party server(std::size_t number) { return {ServerId{number + 1}, first_incarnation}; }

/// What must not change, whatever connects.
struct Picture
{
    std::string leader;
    std::string term;
    std::string last;
    std::string commit;

    friend bool operator==(Picture const&, Picture const&) = default;

    friend std::ostream& operator<<(std::ostream& to, Picture const& picture)
    {
        return to << "leader " << picture.leader << ", term " << picture.term << ", last " << picture.last
                  << ", commit " << picture.commit;
    }
};

/// Three servers that serve, and their peer ports.
struct Serving
{
    Serving()
    {
        cluster.start_all();
        leader = cluster.await_leader();
        is_written("before");
        // The leader's first entry, where its clients find it, the write, and where they find each follower.
        for (auto number = std::size_t{0}; number < cluster.size(); ++number)
            BOOST_REQUIRE(eventually([&] { return cluster.number(number, "raft_commit") >= 5; }));
        before = pictures();
    }

    /// The cluster does a write as before, and nothing else has happened to it.
    void expect_nothing_happened()
    {
        BOOST_TEST(pictures() == before, boost::test_tools::per_element());
        is_written("after");
        BOOST_TEST(cluster.info(leader, "raft_term") == before[leader].term);
        for (auto number = std::size_t{0}; number < cluster.size(); ++number)
            BOOST_TEST(cluster.process(number).is_running());
    }

    void is_written(std::string_view key) const
    {
        auto       client = kv::Client::connect(cluster.client_port(leader), patience);
        auto const reply = client ? client->ask({"SET", key, "value"}) : std::nullopt;
        BOOST_REQUIRE((reply == kv::Reply{'+', "OK", {}}));
    }

    [[nodiscard]] std::vector<Picture> pictures() const
    {
        auto all = std::vector<Picture>{};
        for (auto number = std::size_t{0}; number < cluster.size(); ++number)
            all.push_back({cluster.info(number, "raft_leader"), cluster.info(number, "raft_term"),
                           cluster.info(number, "raft_last"), cluster.info(number, "raft_commit")});
        return all;
    }

    [[nodiscard]] PeerPort connect(std::size_t to) const { return PeerPort{cluster.peer_port(to)}; }

    /// The id that only members should know.
    [[nodiscard]] ClusterId id() const
    {
        auto peers = std::vector<Peer>{};
        for (auto number = std::size_t{0}; number < cluster.size(); ++number)
            peers.push_back({{ServerId{number + 1}, first_incarnation, MemberKind::voter}, {}});
        return cluster_of("tested", peers);
    }

    [[nodiscard]] Route route(std::size_t to, Party from = outsider) const { return {id(), 0, from, server(to)}; }

    /// Sends messages to each server, as one that knows the cluster's id, and waits until they were taken.
    void send_all(std::function<std::vector<Rpc>(std::size_t)> const& messages_to)
    {
        for (auto to = std::size_t{0}; to < cluster.size(); ++to) {
            auto port = connect(to);
            BOOST_REQUIRE(port.enter(route(to)));
            auto sent = messages_to(to);
            sent.push_back(RequestPreVote{.term = Term{}, .last_log = {}, .round = Round{77}}); // Is answered.
            for (auto const& rpc : sent)
                port.write(*encode(route(to), rpc, {}, FrameLimits{}.frame_bytes_max));
            auto const is_end = [](std::optional<Frame> const& frame) {
                auto const* const rpc = frame ? std::get_if<Rpc>(&frame->content) : nullptr;
                auto const* const answer = rpc != nullptr ? std::get_if<RequestPreVoteResponse>(rpc) : nullptr;
                return not frame or (answer != nullptr and answer->round == Round{77});
            };
            auto frame = port.read_frame();
            while (not is_end(frame))
                frame = port.read_frame();
            BOOST_REQUIRE(frame.has_value());
        }
    }

    [[nodiscard]] Term term() const { return Term{cluster.number(leader, "raft_term")}; }

    KvCluster            cluster{3};
    std::size_t          leader = 0;
    std::vector<Picture> before;
};

[[nodiscard]] AppendEntries append_of(Term term, LogPosition previous = {})
{
    return {.term = term,
            .previous = previous,
            .entries = {term, next(previous.index), 0},
            .leader_commit = {},
            .round = {},
            .number = AppendNumber{1},
            .committed = {}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(hostile_peers, *boost::unit_test::timeout(600))

BOOST_AUTO_TEST_CASE(bytes_that_are_no_frames_change_nothing)
{
    auto serving = Serving{};
    auto random = std::mt19937{1};
    for (auto count = 0; count < 300; ++count) {
        auto port = serving.connect(static_cast<std::size_t>(count) % 3);
        auto bytes = std::string(random() % 5'000, ' ');
        for (auto& one : bytes)
            one = static_cast<char>(random());
        port.write(bytes);
    }
    auto web = serving.connect(serving.leader);
    web.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
    BOOST_TEST(web.is_closed_by_server());
    serving.expect_nothing_happened();
}

BOOST_AUTO_TEST_CASE(connections_that_send_nothing_change_nothing_and_a_member_that_restarts_is_let_in)
{
    auto serving = Serving{};
    auto silent = std::vector<std::unique_ptr<PeerPort>>{};
    for (auto count = 0; count < 900; ++count)
        silent.push_back(std::make_unique<PeerPort>(serving.cluster.peer_port(static_cast<std::size_t>(count) % 3)));
    serving.expect_nothing_happened();

    auto const follower = (serving.leader + 1) % 3;
    serving.cluster.process(follower).end();
    serving.cluster.start(follower);
    BOOST_TEST(eventually([&] { return serving.cluster.info(follower, "raft_ready") == "1"; }));
    BOOST_TEST((serving.cluster.leader() == serving.leader));
}

BOOST_AUTO_TEST_CASE(servers_that_are_no_members_take_no_place_from_a_member)
{
    auto serving = Serving{};
    auto others = std::vector<std::unique_ptr<PeerPort>>{};
    for (auto count = std::uint64_t{0}; count < 210; ++count) {
        auto const to = static_cast<std::size_t>(count % 3);
        others.push_back(std::make_unique<PeerPort>(serving.cluster.peer_port(to)));
        BOOST_REQUIRE(others.back()->enter(serving.route(to, Party{ServerId{1'000 + count}, Incarnation{1}})));
    }
    serving.expect_nothing_happened();

    for (auto const away : {std::size_t{1}, std::size_t{2}}) {
        auto const follower = (serving.leader + away) % 3;
        serving.cluster.process(follower).end();
        serving.cluster.start(follower);
        BOOST_TEST(eventually([&] { return serving.cluster.info(follower, "raft_ready") == "1"; }));
    }
    serving.is_written("with both started again");
}

BOOST_AUTO_TEST_CASE(a_refusal_teaches_nothing_that_opens_the_door)
{
    auto serving = Serving{};
    for (auto to = std::size_t{0}; to < 3; ++to) {
        auto port = serving.connect(to);
        auto guess = serving.route(to);
        guess.cluster = cluster_of("a guess");
        port.write(encode(guess, Hello{}));
        auto const answer = port.read_frame();
        BOOST_REQUIRE(answer.has_value());
        BOOST_TEST((std::get_if<HandshakeError>(&answer->content) != nullptr));
        BOOST_TEST((answer->route.cluster == guess.cluster));

        auto again = serving.connect(to); // With what the answer held.
        BOOST_TEST(not again.enter({answer->route.cluster, 0, answer->route.addressee, answer->route.sender}));
    }
    serving.expect_nothing_happened();
}

BOOST_AUTO_TEST_CASE(messages_before_the_end_of_a_handshake_change_nothing)
{
    auto serving = Serving{};
    for (auto to = std::size_t{0}; to < 3; ++to) {
        auto const route = serving.route(to, server((to + 1) % 3));
        auto const vote = *encode(route, RequestVote{Term{1'000}, {Term{999}, Index{999}}, true}, {}, 4096);
        auto       at_once = serving.connect(to);
        at_once.write(vote);
        BOOST_TEST(at_once.is_closed_by_server());
        auto unconfirmed = serving.connect(to);
        unconfirmed.write(encode(route, Hello{}));
        unconfirmed.write(vote);
        BOOST_TEST(unconfirmed.is_closed_by_server());
    }
    serving.expect_nothing_happened();
}

BOOST_AUTO_TEST_CASE(a_server_under_the_id_of_the_one_that_it_greets_changes_nothing)
{
    auto serving = Serving{};
    for (auto to = std::size_t{0}; to < 3; ++to)
        BOOST_TEST(not serving.connect(to).enter(serving.route(to, server(to))));
    serving.expect_nothing_happened();
}

BOOST_AUTO_TEST_CASE(a_term_that_elections_cannot_have_reached_changes_nothing_and_is_named)
{
    auto serving = Serving{};
    serving.send_all([](std::size_t) {
        auto const far_term = Term{number_max};
        return std::vector<Rpc>{RequestVote{far_term, {}, true}, RequestPreVote{far_term, {}, Round{1}},
                                RequestVoteResponse{far_term, false}, RequestPreVoteResponse{far_term, Round{1}, false},
                                append_of(far_term)};
    });
    serving.expect_nothing_happened();
    for (auto number = std::size_t{0}; number < 3; ++number) {
        BOOST_TEST(serving.cluster.info(number, "raft_violations_of_99") == "count=5,last=violation_term_jump");
        BOOST_TEST(serving.cluster.printed(number).find("server 99 broke the protocol: violation_term_jump") !=
                   std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_candidate_that_is_no_member_deposes_no_leader)
{
    auto       serving = Serving{};
    auto const newer = Term{serving.term().value + 1};
    serving.send_all([&](std::size_t) {
        return std::vector<Rpc>{RequestPreVote{newer, {newer, Index{1'000'000}}, Round{1}},
                                RequestVote{newer, {serving.term(), Index{1'000'000}}, false}};
    });
    serving.expect_nothing_happened();
}

BOOST_AUTO_TEST_CASE(answers_of_a_server_that_is_no_member_count_for_nothing)
{
    auto       serving = Serving{};
    auto const term = serving.term();
    auto const newer = Term{term.value + 1};
    serving.send_all([&](std::size_t) {
        auto const accepted = AppendEntriesResponse{.term = term,
                                                    .success = true,
                                                    .match = Index{1},
                                                    .conflict_hint = {},
                                                    .round = {},
                                                    .number = AppendNumber{1}};
        auto       refused = accepted;
        refused.term = newer;
        refused.success = false;
        return std::vector<Rpc>{accepted, refused, RequestVoteResponse{newer, true},
                                RequestPreVoteResponse{newer, Round{1}, true}};
    });
    serving.expect_nothing_happened();
}

BOOST_AUTO_TEST_CASE(a_leader_of_an_older_term_and_a_second_one_of_this_change_nothing)
{
    auto       serving = Serving{};
    auto const term = serving.term();
    serving.send_all([&](std::size_t) { return std::vector<Rpc>{append_of(Term{term.value - 1}), append_of(term)}; });
    serving.expect_nothing_happened();
}

BOOST_AUTO_TEST_CASE(half_frames_of_servers_that_are_no_members_are_bounded_and_change_nothing)
{
    auto       serving = Serving{};
    auto const before = serving.cluster.number(serving.leader, "used_memory_rss");
    auto const to = serving.leader;
    auto       others = std::vector<std::unique_ptr<PeerPort>>{};
    for (auto count = std::uint64_t{0}; count < 60; ++count) {
        auto const route = serving.route(to, Party{ServerId{2'000 + count}, Incarnation{1}});
        auto&      port = *others.emplace_back(std::make_unique<PeerPort>(serving.cluster.peer_port(to)));
        if (not port.enter(route))
            continue;
        constexpr auto size = std::uint32_t{8} << 20U; // Of a frame, of which a little less is sent.
        auto const     head = *encode(route, append_of(Term{1}), {}, FrameLimits{}.frame_bytes_max);
        auto           whole = std::vector<std::byte>(head.bytes().begin(), head.bytes().end());
        for (auto at = std::uint32_t{0}; at + piece_bytes_max < size; at += piece_bytes_max) {
            auto part = std::vector<std::byte>(piece_bytes_max);
            if (at == 0)
                std::copy(whole.begin(), whole.end(), part.begin());
            port.write(encode(route, Piece{at, size}, piece_bytes_max));
            port.write(part);
        }
    }
    serving.expect_nothing_happened();
    BOOST_TEST(serving.cluster.number(to, "used_memory_rss") < before + (std::size_t{96} << 20U));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::hostile_peers_tests
