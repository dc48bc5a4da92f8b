// Promises wait for the disk, leave in the order of their writes, and with what they were made with.
#include "totora/node/outbox.hpp"
#include "support/builders.hpp"

#include <boost/test/unit_test.hpp>

#include <type_traits>
#include <utility>
#include <vector>

namespace totora::test
{
namespace
{

// What is released refers to its envelope, and must not outlive it in somebody's queue.
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

BOOST_AUTO_TEST_CASE(what_is_cleared_never_leaves)
{
    auto outbox = Outbox{};
    outbox.hold(promise(S2, 1, 1));
    outbox.clear();

    BOOST_TEST(release(outbox, 100).empty());
}

} // namespace
} // namespace totora::test
