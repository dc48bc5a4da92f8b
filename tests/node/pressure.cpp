// When a client that was refused because too much was pending may try again.
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace totora::test::pressure_tests
{
namespace
{

using Applied = AppliedWith<std::string>;

[[nodiscard]] NodeSettings narrow()
{
    auto settings = NodeSettings{};
    settings.uncommitted_bytes_max = 1000;
    return settings;
}

[[nodiscard]] std::string command_of(std::size_t encoded_bytes)
{
    return std::string(encoded_bytes - entry_header_size, 'x');
}

[[nodiscard]] std::size_t relieved(Stage const& stage) { return stage.events.of<PressureEnded>().size(); }

BOOST_AUTO_TEST_CASE(the_end_of_pressure_is_reported_once_when_half_of_it_is_gone)
{
    auto stage = Stage{3, narrow()};
    stage.lead_with_follower();
    static_cast<void>(stage.propose(command_of(400)));
    static_cast<void>(stage.propose(command_of(400)));
    stage.run();
    auto const above = stage.propose(command_of(300));
    stage.run();
    BOOST_REQUIRE(above->refused(ProposalError::too_much_pending, S1));
    BOOST_TEST(relieved(stage) == 0U);

    stage.accept(S2, Index{2});
    BOOST_TEST(relieved(stage) == 1U);
    stage.accept_all(S2);
    stage.pass_ms(1000);
    BOOST_TEST(relieved(stage) == 1U);
    BOOST_TEST(stage.propose(command_of(300))->times == 0);
}

BOOST_AUTO_TEST_CASE(a_refusal_comes_before_the_report_that_pressure_has_ended)
{
    auto stage = Stage{1, narrow()};
    stage.lead();
    static_cast<void>(stage.propose(command_of(600)));
    auto const above = stage.propose(command_of(600)); // The first is applied in the turn that refuses it.
    static_cast<void>(stage.node->turn());
    BOOST_TEST(above->times == 0);
    BOOST_TEST(relieved(stage) == 0U);

    static_cast<void>(stage.node->turn());
    BOOST_TEST(above->refused(ProposalError::too_much_pending, S1));
    BOOST_TEST(relieved(stage) == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_refused_before_it_is_staged_is_under_pressure_too)
{
    auto stage = Stage{3, narrow()};
    stage.lead_with_follower();
    static_cast<void>(stage.propose(command_of(1000)));
    static_cast<void>(stage.propose(command_of(100)));
    stage.run();
    BOOST_TEST(relieved(stage) == 0U);
    stage.accept_all(S2);
    BOOST_TEST(relieved(stage) == 1U);
}

BOOST_AUTO_TEST_CASE(a_lack_of_room_is_pressure_until_as_much_fits)
{
    auto stage = Stage{1};
    stage.lead();
    stage.log.room = 500;
    auto const too_large = stage.propose(command_of(600));
    stage.run();
    BOOST_REQUIRE(too_large->refused(ProposalError::no_room, S1));
    stage.pass_ms(100);
    BOOST_TEST(relieved(stage) == 0U);

    stage.log.room = 700;
    stage.pass_ms(100);
    BOOST_TEST(relieved(stage) == 1U);
}

BOOST_AUTO_TEST_CASE(a_deposed_leader_reports_the_end_of_pressure)
{
    auto stage = Stage{3, narrow()};
    stage.lead_with_follower();
    static_cast<void>(stage.propose(command_of(900)));
    static_cast<void>(stage.propose(command_of(900)));
    stage.run();
    BOOST_TEST(relieved(stage) == 0U);

    stage.receive(S2, heartbeat_of(Term{stage.term().value + 1}, {}));
    BOOST_TEST(relieved(stage) == 1U);
    BOOST_TEST(stage.propose("a")->times == 0);
}

BOOST_AUTO_TEST_CASE(without_a_refusal_and_after_the_end_nothing_is_reported)
{
    auto stage = Stage{3, narrow()};
    stage.lead_with_follower();
    static_cast<void>(stage.propose(command_of(900)));
    stage.run();
    stage.accept_all(S2);
    BOOST_TEST(relieved(stage) == 0U);

    static_cast<void>(stage.propose(command_of(950)));
    auto const above = stage.propose(command_of(950));
    stage.run();
    BOOST_TEST(above->refused(ProposalError::too_much_pending, S1));
    stage.node->stop();
    stage.run();
    BOOST_TEST(relieved(stage) == 0U);
}

} // namespace
} // namespace totora::test::pressure_tests
