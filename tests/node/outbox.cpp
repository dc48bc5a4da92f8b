// Promises wait for the disk, and leave in the order of their writes, with what they were made with.
#include "totora/node/links/outbox.hpp"
#include "support/builders.hpp"

#include <boost/test/unit_test.hpp>

#include <type_traits>
#include <utility>
#include <vector>

namespace totora::test::outbox_tests
{
namespace
{

// What is released refers to its envelope, and must not outlive it in a queue.
static_assert(not std::is_copy_constructible_v<Released> and not std::is_copy_assignable_v<Released>);

using boost::unit_test::label;

/// A log, as far as an outbox sees one.
struct Disk : DurableSource
{
    [[nodiscard]] static Durable through(std::uint64_t write) { return durable_through(WriteNumber{write}); }
};

[[nodiscard]] Envelope promise(ServerId to, std::uint64_t term, std::uint64_t write)
{
    return {to, Rpc{RequestVoteResponse{Term{term}, true}}, Release::once_durable(WriteNumber{write})};
}

[[nodiscard]] std::vector<std::pair<ServerId, std::uint64_t>> release(Outbox& outbox, std::uint64_t write)
{
    auto left = std::vector<std::pair<ServerId, std::uint64_t>>{};
    outbox.release(Disk::through(write), [&](Released const& message) {
        left.emplace_back(message.to(), std::get_if<RequestVoteResponse>(&message.rpc())->term.value);
    });
    return left;
}

using Left = std::vector<std::pair<ServerId, std::uint64_t>>;

BOOST_AUTO_TEST_CASE(nothing_leaves_before_the_write_that_it_rests_on, *label("case_1"))
{
    auto outbox = Outbox{};
    outbox.hold(promise(S2, 1, 5));
    outbox.hold(promise(S3, 2, 6));

    BOOST_TEST(release(outbox, 4).empty());
    BOOST_TEST((release(outbox, 5) == Left{{S2, 1}}));
    BOOST_TEST(release(outbox, 5).empty());
    BOOST_TEST((release(outbox, 9) == Left{{S3, 2}}));
    BOOST_TEST(outbox.size() == 0U);
}

BOOST_AUTO_TEST_CASE(promises_leave_in_the_order_of_their_writes_and_those_of_one_write_as_they_were_made)
{
    auto outbox = Outbox{};
    outbox.hold(promise(S2, 1, 7)); // Waits for more than what is held after it.
    outbox.hold(promise(S3, 2, 5));
    outbox.hold(promise(S4, 3, 5));
    outbox.hold(promise(S5, 4, 6));

    BOOST_TEST((release(outbox, 6) == Left{{S3, 2}, {S4, 3}, {S5, 4}}));
    BOOST_TEST((release(outbox, 7) == Left{{S2, 1}}));
}

/// While the disk hangs with a term unwritten, every heartbeat and read round of a leader would add a response.
BOOST_AUTO_TEST_CASE(a_disk_that_hangs_keeps_two_answers_for_a_leader_whatever_arrives, *label("case_91"))
{
    auto const answer = [](std::uint64_t match, std::uint64_t round, std::uint64_t number) {
        return AppendEntriesResponse{.term = Term{3},
                                     .success = true,
                                     .match = Index{match},
                                     .conflict_hint = {},
                                     .round = Round{round},
                                     .number = AppendNumber{number}};
    };
    auto       outbox = Outbox{};
    auto const hold = [&](AppendEntriesResponse const& response) {
        outbox.hold({S1, response, Release::once_durable(WriteNumber{5})});
    };
    outbox.hold(promise(S1, 3, 5));
    outbox.hold(promise(S1, 3, 7));
    for (auto round = std::uint64_t{1}; round <= 1'000; ++round) {
        hold(answer(4, round, 0));
        hold(answer(4 + round / 900, round, round));
    }
    BOOST_TEST(outbox.size() == 4U);
    hold(answer(3, 1'001, 0)); // Acknowledges less of the log.
    outbox.hold({S2, answer(9, 2'000, 0), Release::once_durable(WriteNumber{5})});
    outbox.hold({S1, answer(9, 2'000, 0), Release::once_durable(WriteNumber{6})});

    auto left = std::vector<std::pair<ServerId, AppendEntriesResponse>>{};
    outbox.release(Disk::through(6), [&](Released const& message) {
        if (auto const* response = std::get_if<AppendEntriesResponse>(&message.rpc()))
            left.emplace_back(message.to(), *response);
    });
    BOOST_TEST((left == std::vector<std::pair<ServerId, AppendEntriesResponse>>{
                            {S1, answer(4, 1'000, 0)},
                            {S1, answer(5, 1'000, 1'000)},
                            {S1, answer(3, 1'001, 0)},
                            {S2, answer(9, 2'000, 0)},
                            {S1, answer(9, 2'000, 0)},
                        }));
    BOOST_TEST(outbox.size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_cleared_never_leaves)
{
    auto outbox = Outbox{};
    outbox.hold(promise(S2, 1, 1));
    outbox.clear();

    BOOST_TEST(release(outbox, 100).empty());
}

} // namespace
} // namespace totora::test::outbox_tests
