// Servers whose election timeouts are not independent campaign at the same moment, again and again.
#include "support/stage.hpp"
#include "totora/clock/steady_clock.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test::election_timeouts_tests
{
namespace
{

using boost::unit_test::label;

constexpr auto timeout = Settings{}.election;
constexpr auto timeouts = timeout.at_most_ms - timeout.at_least_ms + 1; ///< How many there are.

using Timeouts = std::vector<std::uint64_t>;

[[nodiscard]] Timeouts draws_of(ManualClock clock, std::size_t count)
{
    auto draws = Timeouts{};
    while (draws.size() < count) {
        clock.arm(Alarm::election, Arming{draws.size() + 1}, timeout);
        draws.push_back(*clock.next_ring_ms() - clock.now_ms());
    }
    return draws;
}

[[nodiscard]] std::map<std::uint64_t, std::size_t> how_often(Timeouts const& drawn)
{
    auto counts = std::map<std::uint64_t, std::size_t>{};
    for (auto const draw : drawn)
        ++counts[draw];
    return counts;
}

/// How often a server drew what another had drawn `later` draws before.
[[nodiscard]] std::size_t agreements(Timeouts const& a, Timeouts const& b, std::size_t later)
{
    auto agreed = std::size_t{0};
    for (auto at = later; at < a.size(); ++at)
        agreed += a[at] == b[at - later] ? 1U : 0U;
    return agreed;
}

/// Within what chance misses once in a hundred thousand times; the seeds are fixed, so that none is left to it.
[[nodiscard]] bool is_near(std::size_t count, double expected)
{
    auto const off = static_cast<double>(count) - expected;
    return off * off < 20 * expected;
}

BOOST_AUTO_TEST_CASE(a_server_draws_from_the_whole_range_evenly, *label("case_6") * label("5.2"))
{
    auto const counts = how_often(draws_of(ManualClock{1}, timeouts * 1000));

    BOOST_TEST(counts.size() == timeouts);
    BOOST_TEST(counts.begin()->first == timeout.at_least_ms);
    BOOST_TEST(counts.rbegin()->first == timeout.at_most_ms);
    for (auto const& [draw, count] : counts)
        BOOST_TEST(is_near(count, 1000), draw << " ms was drawn " << count << " times");
}

/// Neither do they draw the same at the same time, nor one what another drew before; nor does one repeat itself.
BOOST_AUTO_TEST_CASE(servers_with_different_seeds_draw_independently, *label("case_6") * label("5.2"))
{
    auto servers = std::vector<Timeouts>{};
    for (auto seed = std::uint64_t{1}; seed <= 5; ++seed)
        servers.push_back(draws_of(ManualClock{seed}, timeouts * 100));

    for (auto a = std::size_t{0}; a < servers.size(); ++a)
        for (auto b = std::size_t{0}; b < servers.size(); ++b)
            for (auto later = std::size_t{a == b ? 1U : 0U}; later <= 3; ++later)
                BOOST_TEST(is_near(agreements(servers[a], servers[b], later), 100),
                           "seeds " << a + 1 << " and " << b + 1 << ", " << later << " draws later");
}

/// Nobody who runs servers has to think of seeds.
BOOST_AUTO_TEST_CASE(clocks_that_were_given_no_seed_draw_differently, *label("case_6") * label("5.2"))
{
    auto rings = std::vector<std::uint64_t>{};
    for (auto server = 0; server < 8; ++server) {
        auto clock = SteadyClock{};
        clock.arm(Alarm::election, Arming{1}, {0, std::uint64_t{1} << 60U}); // So wide that time plays no role.
        rings.push_back(*clock.next_ring_ms());
    }
    std::sort(rings.begin(), rings.end());

    for (auto at = std::size_t{1}; at < rings.size(); ++at)
        BOOST_TEST(rings[at] - rings[at - 1] > 3'600'000U);
}

/// When a server that nobody answers campaigned: the time between one campaign and the next.
[[nodiscard]] Timeouts campaigns_of(Stage& stage, std::size_t count)
{
    auto between = Timeouts{};
    auto last_ms = stage.clock.now_ms();
    while (between.size() < count) {
        stage.pass_ms(*stage.node->next_turn_ms() - stage.clock.now_ms());
        if (std::exchange(stage.wire.sent, {}).empty())
            continue;
        between.push_back(stage.clock.now_ms() - std::exchange(last_ms, stage.clock.now_ms()));
    }
    return between;
}

BOOST_AUTO_TEST_CASE(every_campaign_waits_for_a_timeout_of_its_own, *label("case_6") * label("5.2"))
{
    for (auto const pre_vote : {true, false}) {
        auto settings = NodeSettings{};
        settings.core.pre_vote = pre_vote;
        auto stage = Stage{3, settings};

        auto const between = campaigns_of(stage, timeouts * 20);

        BOOST_TEST(how_often(between).size() == timeouts);
        BOOST_TEST(*std::min_element(between.begin(), between.end()) == timeout.at_least_ms);
        BOOST_TEST(*std::max_element(between.begin(), between.end()) == timeout.at_most_ms);
        BOOST_TEST(is_near(agreements(between, between, 1), 20));
    }
}

/// A network that needs the same time for every message.
struct SlowNetwork
{
    static constexpr std::uint64_t delay_ms = 50;

    struct Flight
    {
        std::uint64_t lands_ms;
        ServerId      to;
        Received      message;
    };

    std::uint64_t      now_ms = 0;
    std::deque<Flight> flights; ///< In the order in which they land.
};

class SlowTransport
{
public:
    SlowTransport(SlowNetwork& network, ServerId id) : network_(&network), id_(id) {}

    void send(Released const& message, Entries const& entries)
    {
        network_->flights.push_back(
            {network_->now_ms + SlowNetwork::delay_ms, message.to(), Received{id_, message.rpc(), entries}});
    }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        auto& flights = network_->flights;
        for (auto at = flights.begin(); at != flights.end() and at->lands_ms <= network_->now_ms; ++at)
            if (at->to == id_) {
                auto message = std::move(at->message);
                flights.erase(at);
                return TransportEvent{std::move(message)};
            }
        return std::nullopt;
    }

    void update(ServerId, Incarnation, std::string_view) {}

private:
    SlowNetwork* network_;
    ServerId     id_;
};

static_assert(message_transport<SlowTransport>);

using Clocks = std::vector<ManualClock>; ///< One for each server.

/// The term in which servers that start at once, with the same settings, elect a leader. None after a minute.
[[nodiscard]] std::optional<Term> elect(Clocks& clocks)
{
    struct Server
    {
        Server(SlowNetwork& network, ServerId id, ManualClock& clock, NodeSettings const& settings)
            : log(Identity{cluster_of("case 6"), id, first_incarnation, peers_of(3)}), transport(network, id),
              node(machine, log, transport, clock, settings)
        {}

        Recorder                                                  machine;
        MemoryLog                                                 log;
        SlowTransport                                             transport;
        RaftNode<Recorder, MemoryLog, SlowTransport, ManualClock> node;
    };

    auto settings = NodeSettings{};
    settings.core.pre_vote = false; // Every campaign is one for votes, so that the theory is simple.
    auto network = SlowNetwork{};
    network.now_ms = clocks.front().now_ms();
    auto servers = std::deque<Server>{};
    for (auto& clock : clocks) {
        servers.emplace_back(network, ServerId{servers.size() + 1}, clock, settings);
        BOOST_REQUIRE(servers.back().node.start().has_value());
    }
    auto       elected = std::optional<Term>{};
    auto const end_ms = network.now_ms + 60'000;
    while (not elected and network.now_ms < end_ms) {
        auto next_ms = network.flights.empty() ? end_ms : network.flights.front().lands_ms;
        for (auto const& server : servers)
            next_ms = std::min(next_ms, server.node.next_turn_ms().value_or(end_ms));
        for (auto& clock : clocks)
            clock.advance_ms(next_ms - network.now_ms);
        network.now_ms = next_ms;
        for (auto& server : servers) {
            while (server.node.turn()) {}
            if (is_leader(server.node.state()))
                elected = server.node.state().current_term;
        }
    }
    for (auto& server : servers)
        server.node.stop();
    return elected;
}

/// The probability that three servers all campaign before the first request arrives: each votes for itself.
[[nodiscard]] double probability_of_a_split()
{
    auto favourable = 0.0;
    for (auto first = std::uint64_t{0}; first < timeouts; ++first) {
        auto const before_arrival = static_cast<double>(std::min(SlowNetwork::delay_ms, timeouts - first));
        favourable += before_arrival * before_arrival * before_arrival -
                      (before_arrival - 1) * (before_arrival - 1) * (before_arrival - 1);
    }
    auto const all = static_cast<double>(timeouts);
    return favourable / (all * all * all);
}

BOOST_AUTO_TEST_CASE(servers_that_start_together_split_their_votes_no_more_often_than_chance_has_it,
                     *label("case_6") * label("5.2"))
{
    auto       clocks = Clocks{ManualClock{1}, ManualClock{2}, ManualClock{3}};
    auto const elections = 10'000;
    auto       split = std::size_t{0};
    for (auto election = 0; election < elections; ++election) {
        auto const term = elect(clocks);
        BOOST_REQUIRE(term.has_value());
        BOOST_TEST(term->value <= 6U);
        split += *term > Term{1} ? 1U : 0U;
    }

    BOOST_TEST(is_near(split, elections * probability_of_a_split()), split << " elections were split");
}

/// What the test above must notice.
BOOST_AUTO_TEST_CASE(servers_with_equal_seeds_never_elect_a_leader, *label("case_6"))
{
    auto clocks = Clocks{ManualClock{1}, ManualClock{1}, ManualClock{1}};

    BOOST_TEST(not elect(clocks).has_value());
}

} // namespace
} // namespace totora::test::election_timeouts_tests
