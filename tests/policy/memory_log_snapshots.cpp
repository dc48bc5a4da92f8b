// SPDX-License-Identifier: BSL-1.0
// The log in memory keeps snapshots, and begins after them: what was reported survives a loss of power, and nothing else.
#include "support/log_entries.hpp"
#include "support/snapshot/snapshot_bytes.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/log/memory_log.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

namespace totora::test::memory_log_snapshots_tests
{
namespace
{

using boost::unit_test::label;
using Terms = std::vector<std::uint64_t>;

[[nodiscard]] MemoryLog log_of_five()
{
    auto log = MemoryLog{identity_of_first()};
    static_cast<void>(log.recover());
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 3));
    log.append(WriteNumber{2}, entries_of(Term{2}, Index{4}, 2));
    log.sync();
    return log;
}

[[nodiscard]] SnapshotBytes any_snapshot() { return snapshot_of({Term{3}, Index{9}}, {"reed", "rush"}); }

/// Stores all chunks of a snapshot, and makes it durable if the log does.
void receive(MemoryLog& log, SnapshotBytes const& snapshot)
{
    log.store_chunk(snapshot.id, 0, std::span{snapshot.bytes}.first(20));
    log.store_chunk(snapshot.id, 20, std::span{snapshot.bytes}.subspan(20));
    log.finish_chunks(snapshot.id);
}

BOOST_AUTO_TEST_CASE(a_compacted_log_begins_after_its_base_with_the_configurations_there, *label("case_31"))
{
    auto log = log_of_five();
    log.compact(WriteNumber{3}, {Term{1}, Index{2}}, {cluster(2), cluster(1)}, {});
    log.sync();

    BOOST_TEST((log.last() == LogPosition{Term{2}, Index{5}}));
    BOOST_TEST(log.read(Index{2}, Index{5}, 1U << 20U)->empty());
    BOOST_TEST(terms_in(*log.read(Index{3}, Index{5}, 1U << 20U)) == (Terms{1, 2, 2}),
               boost::test_tools::per_element());
    auto const recovered = log.recover();
    BOOST_TEST((recovered->entries.base() == LogPosition{Term{1}, Index{2}}));
    BOOST_TEST((recovered->configuration == cluster(2)));
    BOOST_TEST((recovered->previous_configuration == cluster(1)));
}

BOOST_AUTO_TEST_CASE(a_boundary_that_was_not_durable_is_undone_by_a_loss_of_power, *label("case_33"))
{
    auto log = log_of_five();
    receive(log, any_snapshot());
    BOOST_TEST(log.snapshot_end().has_value());
    log.hold_syncs();
    log.compact(WriteNumber{3}, {Term{1}, Index{2}}, {cluster(2), cluster(1)}, {});
    log.append(WriteNumber{4}, entries_of(Term{3}, Index{6}, 1));
    log.install(WriteNumber{5}, any_snapshot().id, {cluster(3), cluster(3)}, {});
    BOOST_TEST(not log.snapshots()[0].is_received);
    log.append(WriteNumber{6}, entries_of(Term{3}, Index{10}, 1));
    log.sync();
    log.complete_through(WriteNumber{4});

    log.crash();

    BOOST_TEST((log.last() == LogPosition{Term{3}, Index{6}}));
    BOOST_TEST((log.recover()->entries.base() == LogPosition{Term{1}, Index{2}}));
    BOOST_TEST(terms_in(*log.read(Index{3}, Index{6}, 1U << 20U)) == (Terms{1, 2, 2, 3}),
               boost::test_tools::per_element());
    BOOST_REQUIRE(log.snapshots().size() == 1U);
    BOOST_TEST(log.snapshots()[0].is_received);
}

/// The two newest configurations of what is left, whatever was lost: those in the entries, and before them those of the boundary.
BOOST_AUTO_TEST_CASE(a_loss_of_power_takes_configurations_and_the_boundary_as_it_takes_entries, *label("6"))
{
    auto const third = configuration_entry(Term{2}, Index{6}, {1, 2, 4});
    auto const fourth = configuration_entry(Term{2}, Index{7}, {1, 2, 5});
    auto const fifth = configuration_entry(Term{2}, Index{8}, {1, 2, 6});
    auto const held = [](Entries const& entries) { return *decode_configuration(*entries.begin()); };
    struct Expected
    {
        std::uint64_t durable; ///< The newest write that survives.
        Index         base;
        Configuration in_force;
        Configuration previous;
    };
    for (auto const& [durable, base, in_force, previous] :
         {Expected{3, Index{2}, cluster(2), cluster(1)}, Expected{4, Index{2}, held(third), cluster(2)},
          Expected{5, Index{2}, held(fourth), held(third)}, Expected{6, Index{2}, held(fifth), held(fourth)},
          Expected{7, Index{6}, held(fifth), held(fourth)}}) {
        auto log = log_of_five();
        log.hold_syncs();
        log.compact(WriteNumber{3}, {Term{1}, Index{2}}, {cluster(2), cluster(1)}, {});
        log.append(WriteNumber{4}, third);
        log.append(WriteNumber{5}, fourth);
        log.append(WriteNumber{6}, fifth);
        log.compact(WriteNumber{7}, {Term{2}, Index{6}}, {held(third), cluster(2)}, {});
        log.sync();
        log.complete_through(WriteNumber{durable});

        log.crash();

        auto const recovered = log.recover();
        BOOST_TEST((recovered->entries.base().index == base));
        BOOST_TEST((recovered->configuration == in_force));
        BOOST_TEST((recovered->previous_configuration == previous));
    }
}

BOOST_AUTO_TEST_CASE(an_install_puts_a_snapshot_in_place_of_the_log, *label("7"))
{
    auto       log = log_of_five();
    auto const snapshot = any_snapshot();
    receive(log, snapshot);
    BOOST_TEST(not log.snapshot_end()->failure.has_value());
    log.install(WriteNumber{3}, snapshot.id, {cluster(3), cluster(2)}, {});
    log.append(WriteNumber{4}, entries_of(Term{3}, Index{10}, 1));
    log.sync();
    log.crash();

    auto const recovered = log.recover();
    BOOST_TEST((recovered->entries.base() == snapshot.id.last));
    BOOST_TEST((recovered->entries.last() == LogPosition{Term{3}, Index{10}}));
    BOOST_TEST((recovered->previous_configuration == cluster(2)));
    BOOST_REQUIRE(log.snapshots().size() == 1U);
    BOOST_TEST((log.snapshots()[0] ==
                StoredSnapshot{snapshot.id, {cluster(3), cluster(3)}, peers_in({cluster(3), cluster(3)}), false}));
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_is_not_durable_is_lost_with_the_power, *label("7"))
{
    auto       log = log_of_five();
    auto const snapshot = any_snapshot();
    log.kept_snapshots().hold();
    log.begin_snapshot();
    log.write_snapshot(snapshot.bytes);
    log.finish_snapshot(snapshot.id);
    BOOST_TEST(not log.snapshot_end().has_value());
    log.crash();
    log.kept_snapshots().complete();
    BOOST_TEST(log.snapshots().empty());

    log.begin_snapshot();
    log.write_snapshot(snapshot.bytes);
    log.finish_snapshot(snapshot.id);
    BOOST_REQUIRE(log.snapshot_end().has_value());
    log.crash();
    BOOST_REQUIRE(log.snapshots().size() == 1U);
    auto const part = log.read_snapshot(snapshot.id, 10, 20);
    BOOST_REQUIRE(part.has_value());
    BOOST_TEST((std::vector(part->bytes.begin(), part->bytes.end()) ==
                std::vector(snapshot.bytes.begin() + 10, snapshot.bytes.begin() + 30)));
    log.remove_snapshot(snapshot.id);
    BOOST_TEST(log.snapshots().empty());
    BOOST_TEST(part->bytes.size() == 20U); // What was read stays.
    BOOST_TEST(not log.read_snapshot(snapshot.id, 0, 1).has_value());
}

BOOST_AUTO_TEST_CASE(what_was_received_is_verified, *label("case_106"))
{
    auto log = log_of_five();
    auto snapshot = any_snapshot();
    snapshot.bytes[50] ^= std::byte{1};
    receive(log, snapshot);

    auto const end = log.snapshot_end();
    BOOST_REQUIRE(end.has_value());
    BOOST_REQUIRE(end->failure.has_value());
    BOOST_TEST((end->failure->failure == LogFailure::damaged));
    BOOST_TEST(end->is_received);
    BOOST_TEST(log.snapshots().empty());
}

BOOST_AUTO_TEST_CASE(chunks_outlive_a_process_and_not_a_loss_of_power, *label("case_29"))
{
    auto       log = log_of_five();
    auto const snapshot = any_snapshot();
    log.store_chunk(snapshot.id, 0, std::span{snapshot.bytes}.first(20));
    static_cast<void>(log.recover());
    BOOST_TEST((log.reception() == SnapshotReception{snapshot.id, 20, Term{}}));

    auto const other = snapshot_of({Term{3}, Index{10}}, {"sedge"});
    log.store_chunk(other.id, 0, std::span{other.bytes}.first(5)); // It takes the place of the first one.
    BOOST_TEST((log.reception() == SnapshotReception{other.id, 5, Term{}}));
    log.crash();
    BOOST_TEST((log.reception() == SnapshotReception{}));
}

BOOST_AUTO_TEST_CASE(an_install_that_had_begun_is_finished_before_a_start, *label("case_33"))
{
    auto       log = log_of_five();
    auto const snapshot = any_snapshot();
    receive(log, snapshot);
    static_cast<void>(log.recover());

    BOOST_TEST(not log.finish_install(snapshot.id).has_value());
    BOOST_TEST((log.last() == snapshot.id.last));
    log.crash();
    BOOST_TEST((log.recover()->entries.base() == snapshot.id.last));
    BOOST_TEST(log.finish_install({}).has_value());
}

} // namespace
} // namespace totora::test::memory_log_snapshots_tests
