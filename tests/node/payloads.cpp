// A message and its payload belong together: a transport that lost or mixed up entries stores and acknowledges nothing.
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <vector>

namespace totora::test::payloads_tests
{
namespace
{

using boost::unit_test::label;

[[nodiscard]] Entries commands_of(Term term, Index first, std::vector<std::string> const& commands)
{
    auto staging = Staging{};
    for (auto const& command : commands)
        staging.add(bytes_of(command));
    return staging.seal({term, first, commands.size()}, EntryKind::command);
}

BOOST_AUTO_TEST_CASE(an_append_with_other_entries_than_it_names_is_dropped_and_named, *label("case_93"))
{
    auto const whole = append_of(Term{1}, {}, Term{1}, 3, Index{1});
    auto const payloads = std::vector<Entries>{
        {},
        commands_of(Term{1}, Index{1}, {"a", "b"}),
        commands_of(Term{1}, Index{1}, {"a", "b", "c", "d"}),
        commands_of(Term{2}, Index{1}, {"a", "b", "c"}),
        commands_of(Term{1}, Index{2}, {"a", "b", "c"}),
    };
    for (auto const& payload : payloads) {
        auto       stage = Stage{};
        auto const before = stage.node->state();
        stage.receive(S2, whole, payload);

        BOOST_TEST((stage.node->state() == before));
        BOOST_TEST(stage.wire.sent.empty());
        BOOST_TEST(stage.log.appends == 0);
        BOOST_TEST((stage.log.last() == LogPosition{}));
        BOOST_TEST(stage.status().running);
        BOOST_TEST(stage.status().payload_mismatches == 1U);
        auto const reported = stage.events.of<PayloadMismatch>();
        BOOST_REQUIRE(reported.size() == 1U);
        BOOST_TEST((reported[0].from == S2));

        stage.receive(S2, whole, commands_of(Term{1}, Index{1}, {"a", "b", "c"})); // Sent again, it is stored.
        BOOST_TEST((stage.log.last() == LogPosition{Term{1}, Index{3}}));
        BOOST_TEST(stage.status().payload_mismatches == 1U);
    }
}

BOOST_AUTO_TEST_CASE(an_append_of_one_command_without_its_payload_is_no_no_op, *label("case_93"))
{
    auto stage = Stage{};
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1, Index{1}), {});

    BOOST_TEST(stage.messages_to<AppendEntriesResponse>(S2).empty());
    BOOST_TEST((stage.log.last() == LogPosition{}));
    BOOST_TEST((stage.status().commit == Index{}));
}

BOOST_AUTO_TEST_CASE(entries_beside_a_message_that_names_none_are_not_stored, *label("case_93"))
{
    auto const stray = command_entry(Term{1}, Index{1}, "stray");
    for (auto const& rpc : {Rpc{heartbeat_of(Term{1}, {})}, Rpc{RequestVote{Term{1}, {}, true}}}) {
        auto stage = Stage{};
        stage.receive(S2, rpc, stray);

        BOOST_TEST(stage.wire.sent.empty());
        BOOST_TEST((stage.term() == Term{}));
        BOOST_TEST(stage.status().payload_mismatches == 1U);
    }
}

BOOST_AUTO_TEST_CASE(the_first_entry_of_a_leader_is_a_no_op, *label("case_93"))
{
    auto stage = Stage{1};
    stage.lead();
    auto const read = stage.log.memory.read(Index{1}, Index{1}, 1000);

    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(((*read->begin()).kind == EntryKind::no_op));
}

BOOST_AUTO_TEST_CASE(a_payload_whose_bytes_are_no_entry_is_dropped, *label("case_93"))
{
    auto       stage = Stage{};
    auto const block = std::make_shared<std::vector<std::byte>>(10);
    auto       torn = Entries{};
    torn.add({block, *block}, 1);
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1, Index{1}), torn);

    BOOST_TEST(stage.wire.sent.empty());
    BOOST_TEST(stage.status().payload_mismatches == 1U);
}

} // namespace
} // namespace totora::test::payloads_tests
