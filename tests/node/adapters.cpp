// Policies that wrap others: calls that they do not implement reach the wrapped policy.
#include "support/stage.hpp"
#include "totora/policy/adapter.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace totora::test::adapters_tests
{
namespace
{

/// Counts, and has no refinement.
template <durable_log Log>
struct CountingLog : LogAdapter<Log>
{
    using LogAdapter<Log>::LogAdapter;

    int appends = 0;

    void append(WriteNumber write, Entries const& entries)
    {
        ++appends;
        LogAdapter<Log>::append(write, entries);
    }
};

template <message_transport Transport>
struct CountingTransport : TransportAdapter<Transport>
{
    using TransportAdapter<Transport>::TransportAdapter;

    int sent = 0;

    void send(Released const& message, Entries const& entries)
    {
        ++sent;
        TransportAdapter<Transport>::send(message, entries);
    }
};

static_assert(durable_log<CountingLog<CountingLog<CheckingLog>>>);
static_assert(message_transport<CountingTransport<Wire>>);
static_assert(state_machine<StateMachineAdapter<Recorder>>);
static_assert(alarm_clock<ClockAdapter<ManualClock>>);

/// A log in the background, most of which is on disk.
struct WakingLog : CheckingLog
{
    using CheckingLog::CheckingLog;

    std::function<void()>      wake;
    std::optional<ScrubStatus> scrubbed;

    void set_wake(std::function<void()> made) { wake = std::move(made); }

    [[nodiscard]] std::optional<ScrubStatus> scrub_status() const { return scrubbed; }
};

/// A transport with every refinement.
struct RefinedWire : Wire
{
    std::function<void()> wake;
    std::vector<ServerId> renewed;
    std::uint64_t         most = std::uint64_t{8} << 20U;
    std::uint64_t         taken = 0;
    std::vector<ServerId> asked;

    void                        set_wake(std::function<void()> made) { wake = std::move(made); }
    void                        renew(ServerId server) { renewed.push_back(server); }
    [[nodiscard]] std::uint64_t entry_bytes_max() const { return most; }
    [[nodiscard]] std::uint64_t bytes_taken(ServerId server)
    {
        asked.push_back(server);
        return taken;
    }
};

/// A node over policies each of which is wrapped twice.
struct Wrapped
{
    explicit Wrapped(NodeSettings const& settings = {}) : node(machine, log, transport, clock, settings) {}

    Recorder                            own_machine;
    WakingLog                           own_log{Identity{cluster_of("stage"), S1, first_incarnation, peers_of(3)}};
    RefinedWire                         wire;
    ManualClock                         own_clock{1};
    StateMachineAdapter<Recorder>       machine{own_machine};
    CountingLog<WakingLog>              inner_log{own_log};
    CountingLog<CountingLog<WakingLog>> log{inner_log};
    CountingTransport<RefinedWire>      inner_transport{wire};
    CountingTransport<CountingTransport<RefinedWire>> transport{inner_transport};
    ClockAdapter<ManualClock>                         clock{own_clock};
    RaftNode<StateMachineAdapter<Recorder>, CountingLog<CountingLog<WakingLog>>,
             CountingTransport<CountingTransport<RefinedWire>>, ClockAdapter<ManualClock>>
        node;

    void pass_ms(std::uint64_t ms)
    {
        own_clock.advance_ms(ms);
        while (node.turn()) {}
    }

    void receive(ServerId from, Rpc const& rpc)
    {
        wire.arriving.push_back(Received{from, rpc, {}});
        pass_ms(0);
    }

    void lead()
    {
        pass_ms(600);
        receive(S2, RequestPreVoteResponse{node.state().current_term, node.state().pre_vote_round, true});
        receive(S2, RequestVoteResponse{node.state().current_term, true});
    }
};

BOOST_AUTO_TEST_CASE(every_adapter_of_a_chain_intercepts_what_it_knows)
{
    auto wrapped = Wrapped{};
    BOOST_REQUIRE(wrapped.node.start().has_value());
    wrapped.lead();

    BOOST_TEST(is_leader(wrapped.node.state()));
    BOOST_TEST(wrapped.own_log.appends == 1);
    BOOST_TEST(wrapped.inner_log.appends == 1);
    BOOST_TEST(wrapped.log.appends == 1);
    BOOST_TEST(wrapped.transport.sent == static_cast<int>(wrapped.wire.sent.size()));
    BOOST_TEST(wrapped.inner_transport.sent == wrapped.transport.sent);
}

BOOST_AUTO_TEST_CASE(the_status_shows_how_far_a_log_was_scrubbed, *boost::unit_test::label("case_65"))
{
    auto wrapped = Wrapped{};
    BOOST_TEST(not wrapped.node.status().scrub.has_value());

    wrapped.own_log.scrubbed = ScrubStatus{.passes = 1, .bytes = 2, .bytes_total = 3};

    BOOST_TEST((wrapped.node.status().scrub == wrapped.own_log.scrubbed));
}

BOOST_AUTO_TEST_CASE(a_wake_up_reaches_the_policies_that_are_wrapped)
{
    auto wrapped = Wrapped{};
    auto woken = 0;
    wrapped.node.set_wake([&] { ++woken; });

    wrapped.own_log.wake();
    wrapped.wire.wake();

    BOOST_TEST(woken == 2);
}

BOOST_AUTO_TEST_CASE(the_limit_of_a_wrapped_transport_counts)
{
    auto settings = NodeSettings{};
    settings.entry_bytes_max = (std::uint64_t{8} << 20U) + 1;
    auto wrapped = Wrapped{settings};

    BOOST_TEST(not wrapped.node.start().has_value());
}

BOOST_AUTO_TEST_CASE(links_of_a_wrapped_transport_are_queried_and_can_be_renewed)
{
    auto wrapped = Wrapped{};
    BOOST_REQUIRE(wrapped.node.start().has_value());
    wrapped.lead();
    for (auto heartbeat = 0; heartbeat < 10; ++heartbeat) {
        wrapped.receive(S2, accepted(wrapped.node.state().current_term, Index{1}, 0, Round{}));
        wrapped.pass_ms(50);
    }
    if_offered(
        wrapped.transport, [](auto& one) -> decltype(one.renew(S2)) { return one.renew(S2); }, [] {});

    BOOST_TEST(not wrapped.wire.asked.empty());
    BOOST_TEST((wrapped.wire.renewed == std::vector<ServerId>{S2}));
}

/// A refinement that was added after the adapters were written: none of them names it.
struct MeasuredLog : CheckingLog
{
    using CheckingLog::CheckingLog;

    [[nodiscard]] int temperature() const { return 21; }
};

constexpr auto temperature = [](auto& log) -> decltype(log.temperature()) { return log.temperature(); };

BOOST_AUTO_TEST_CASE(a_refinement_that_is_added_later_is_forwarded)
{
    auto       log = MeasuredLog{Identity{cluster_of("stage"), S1, first_incarnation, peers_of(1)}};
    auto       once = CountingLog<MeasuredLog>{log};
    auto const twice = CountingLog<CountingLog<MeasuredLog>>{once};
    auto const none = [] { return -1; };

    BOOST_TEST(if_offered(twice, temperature, none) == 21);
    BOOST_TEST(if_offered(log, temperature, none) == 21);

    auto plain = CheckingLog{Identity{cluster_of("stage"), S1, first_incarnation, peers_of(1)}};
    auto over_plain = CountingLog<CheckingLog>{plain};
    BOOST_TEST(if_offered(over_plain, temperature, none) == -1);
    static_assert(offers<CountingLog<MeasuredLog>, decltype(temperature)>());
    static_assert(not offers<CountingLog<CheckingLog>, decltype(temperature)>());
}

/// Intercepts a refinement.
struct Warmer : LogAdapter<MeasuredLog>
{
    using LogAdapter<MeasuredLog>::LogAdapter;

    [[nodiscard]] int temperature() const { return base().temperature() + 10; }
};

BOOST_AUTO_TEST_CASE(the_nearest_policy_that_has_a_refinement_is_used)
{
    auto log = MeasuredLog{Identity{cluster_of("stage"), S1, first_incarnation, peers_of(1)}};
    auto warmer = Warmer{log};
    auto counting = CountingLog<Warmer>{warmer};

    BOOST_TEST(if_offered(counting, temperature, [] { return -1; }) == 31);
}

} // namespace
} // namespace totora::test::adapters_tests
