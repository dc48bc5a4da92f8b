// SPDX-License-Identifier: BSL-1.0
#include "totora/log/memory_log.hpp"

#include "support/log_entries.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

namespace totora::test::memory_log_tests
{

using boost::unit_test::label;
using Terms = std::vector<std::uint64_t>;

namespace
{

MemoryLog started_log()
{
    auto log = MemoryLog{identity_of_first()};
    BOOST_REQUIRE(log.recover().has_value());
    return log;
}

Terms terms_of(MemoryLog& log, Index from, Index up_to)
{
    auto const entries = log.read(from, up_to, 1U << 20U);
    BOOST_REQUIRE(entries.has_value());
    return terms_in(*entries);
}

} // namespace

BOOST_AUTO_TEST_SUITE(memory_log)

BOOST_AUTO_TEST_CASE(a_new_log_holds_nothing_but_its_identity)
{
    auto log = MemoryLog{identity_of_first()};

    auto const recovered = log.recover();

    BOOST_REQUIRE(recovered.has_value());
    BOOST_TEST((recovered->identity == identity_of_first()));
    BOOST_TEST((recovered->entries == TermRuns{}));
    BOOST_TEST(not recovered->voted_for.has_value());
    BOOST_TEST(recovered->configuration.members.size() == 3U);
    BOOST_TEST((recovered->configuration == recovered->previous_configuration));
}

BOOST_AUTO_TEST_CASE(what_was_appended_is_read_back_within_the_limit_of_bytes)
{
    auto log = started_log();
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 5));
    log.append(WriteNumber{2}, entries_of(Term{2}, Index{6}, 3));

    BOOST_TEST(terms_of(log, Index{4}, Index{7}) == (Terms{1, 1, 2, 2}), boost::test_tools::per_element());
    BOOST_TEST(log.bytes(Index{2}, Index{4}) == 150U);
    BOOST_TEST(log.read(Index{3}, Index{8}, 149)->count() == 2U);
    BOOST_TEST(log.read(Index{3}, Index{8}, 1)->count() == 1U); // The first one always.
    BOOST_TEST(log.read(Index{9}, Index{9}, 100)->empty());
    BOOST_TEST((log.last() == LogPosition{Term{2}, Index{8}}));
}

BOOST_AUTO_TEST_CASE(a_truncation_inside_a_slice_keeps_the_entries_before_it)
{
    auto log = started_log();
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 8, 10, 8));

    log.truncate(WriteNumber{2}, Index{4});
    log.append(WriteNumber{3}, entries_of(Term{3}, Index{4}, 2));

    BOOST_TEST(terms_of(log, Index{1}, Index{9}) == (Terms{1, 1, 1, 3, 3}), boost::test_tools::per_element());
    BOOST_TEST(log.bytes(Index{1}, Index{5}) == 250U);
}

BOOST_AUTO_TEST_CASE(a_range_that_was_read_outlives_the_truncation_of_its_entries, *label("case_82"))
{
    auto log = started_log();
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 4));
    auto const pinned = log.read(Index{1}, Index{4}, 1U << 20U);

    log.truncate(WriteNumber{2}, Index{1});
    log.append(WriteNumber{3}, entries_of(Term{2}, Index{1}, 4));

    BOOST_TEST(terms_in(*pinned) == (Terms{1, 1, 1, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nothing_is_durable_before_its_sync_is_completed, *label("case_63"))
{
    auto log = started_log();
    log.hold_syncs();
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 1));
    log.sync();
    log.append(WriteNumber{2}, entries_of(Term{1}, Index{2}, 1));

    BOOST_TEST(log.durable().through().value == 0U);
    log.complete_through(WriteNumber{9});
    BOOST_TEST(log.durable().through().value == 1U); // The second write was never handed over.
    log.sync();
    log.release_syncs();
    BOOST_TEST(log.durable().through().value == 2U);
}

BOOST_AUTO_TEST_CASE(a_crash_undoes_the_writes_that_are_not_durable_in_reverse_order, *label("case_22"))
{
    auto log = started_log();
    log.save_vote(WriteNumber{1}, Term{1}, ServerId{2});
    log.append(WriteNumber{2}, entries_of(Term{1}, Index{1}, 12));
    log.sync();
    log.hold_syncs();
    log.truncate(WriteNumber{3}, Index{12});
    log.append(WriteNumber{4}, entries_of(Term{2}, Index{12}, 1));
    log.save_vote(WriteNumber{5}, Term{3}, std::nullopt);
    log.truncate(WriteNumber{6}, Index{12});
    log.append(WriteNumber{7}, entries_of(Term{1}, Index{12}, 1));
    log.sync();
    log.complete_through(WriteNumber{4});

    log.crash();
    auto const recovered = log.recover();

    BOOST_TEST((recovered->entries.last() == LogPosition{Term{2}, Index{12}}));
    BOOST_TEST(recovered->current_term.value == 1U);
    BOOST_TEST((recovered->voted_for == ServerId{2}));
    BOOST_TEST(terms_of(log, Index{11}, Index{12}) == (Terms{1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_saved_commit_index_is_never_above_what_is_durable, *label("case_83"))
{
    auto log = started_log();
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 8));
    log.save_commit(Index{8});
    log.sync();
    log.hold_syncs();
    log.append(WriteNumber{2}, entries_of(Term{1}, Index{9}, 1));
    log.save_commit(Index{9});
    log.sync();

    log.crash();

    BOOST_TEST(log.recover()->commit_index.value == 8U);
}

BOOST_AUTO_TEST_CASE(a_failed_sync_is_final, *label("case_66") * label("case_71"))
{
    auto log = started_log();
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 1));
    log.fail_next_sync();

    log.sync();
    log.sync();

    BOOST_REQUIRE(log.failure().has_value());
    BOOST_TEST((log.failure()->failure == LogFailure::sync_failed));
    BOOST_TEST(log.durable().through().value == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_log_has_room_again_after_a_truncation, *label("case_67"))
{
    auto log = started_log();
    log.limit_capacity(200);
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 3));

    BOOST_TEST(log.has_room(50));
    BOOST_TEST(not log.has_room(51));
    log.truncate(WriteNumber{2}, Index{3});
    BOOST_TEST(log.has_room(100));
}

BOOST_AUTO_TEST_CASE(a_restart_finds_the_two_newest_configurations)
{
    auto log = started_log();
    log.append(WriteNumber{1}, configuration_entry(Term{1}, Index{1}, {1, 2, 3, 4}));
    log.append(WriteNumber{2}, configuration_entry(Term{1}, Index{2}, {1, 2, 3}));
    log.sync();

    log.crash();
    auto const recovered = log.recover();

    BOOST_TEST(recovered->configuration.index.value == 2U);
    BOOST_TEST(recovered->previous_configuration.index.value == 1U);
    BOOST_TEST(recovered->previous_configuration.members.size() == 4U);
}

/// A process that was killed finds what it had written, synced or not, and answers for it from then on.
BOOST_AUTO_TEST_CASE(what_a_start_has_found_survives_a_later_loss_of_power)
{
    auto log = started_log();
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 1));
    log.append(WriteNumber{2}, entries_of(Term{1}, Index{2}, 1));
    BOOST_TEST(log.recover()->entries.last().index.value == 2U);

    log.append(WriteNumber{1}, entries_of(Term{2}, Index{3}, 1));
    log.save_commit(Index{2});
    log.sync();
    BOOST_TEST(log.durable().through().value == 1U);
    log.crash();

    BOOST_TEST(log.recover()->commit_index.value == 2U);
    BOOST_TEST(terms_of(log, Index{1}, Index{3}) == (Terms{1, 1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::memory_log_tests
