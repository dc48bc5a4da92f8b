// SPDX-License-Identifier: BSL-1.0
// Where the members of a cluster are to be found: addresses travel with configurations, in entries, boundaries and snapshots.
#include "support/snapshot/snapshot_bytes.hpp"
#include "support/stage.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/node/parts/address_book.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::test::addresses_tests
{
namespace
{

using boost::unit_test::label;
using Addresses = std::map<std::uint64_t, std::string>;
using Updates = std::vector<Wire::Update>;

[[nodiscard]] std::vector<Peer> members_at(Addresses const& addresses)
{
    auto peers = std::vector<Peer>{};
    for (auto const& [id, address] : addresses)
        peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, address});
    return peers;
}

/// The members that the payload of a configuration holds.
[[nodiscard]] std::optional<std::vector<Peer>> members_in(std::span<std::byte const> payload)
{
    return decode_peers(payload.subspan(abilities_size));
}

/// An entry that holds a configuration of voters at these addresses.
[[nodiscard]] Entries entry_with(Term term, Index index, Addresses const& addresses)
{
    auto entries = Entries{};
    entries.add(
        entry_slice(index, term, encode_configuration(Abilities{}, members_at(addresses)), EntryKind::configuration),
        1);
    return entries;
}

[[nodiscard]] NodeSettings by_hand()
{
    auto settings = NodeSettings{};
    settings.snapshots.automatic = false;
    settings.snapshots.trailing_entries = 0;
    return settings;
}

/// What the transport was notified of since this was called last.
[[nodiscard]] Updates updates(Stage& stage) { return std::exchange(stage.wire.updates, {}); }

auto const at_first = Addresses{{1, "host:1"}, {2, "host:2"}, {3, "host:3"}};
auto const moved = Addresses{{1, "host:1"}, {2, "host:2"}, {3, "moved:3"}};

/// S2 leads in term 1, and appends that S3 has moved. It is not committed.
void receive_moved(Stage& stage)
{
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1), entry_with(Term{1}, Index{1}, moved));
}

BOOST_AUTO_TEST_CASE(a_follower_updates_its_transport_when_an_entry_moves_a_member, *label("6"))
{
    auto stage = Stage{3, by_hand()};
    static_cast<void>(updates(stage));

    receive_moved(stage);

    BOOST_TEST((updates(stage) == Updates{{S3, first_incarnation, "moved:3"}}));
    BOOST_TEST(stage.node->address_of(S3).value() == "moved:3");
    BOOST_TEST(stage.node->address_of(S1).value() == "host:1");
}

BOOST_AUTO_TEST_CASE(an_address_is_taken_back_when_its_entry_is_truncated, *label("6"))
{
    auto stage = Stage{3, by_hand()};
    receive_moved(stage);
    static_cast<void>(updates(stage));

    stage.receive(S3, append_of(Term{2}, {}, Term{2}, 1), command_entry(Term{2}, Index{1}, "reed"));

    BOOST_TEST((updates(stage) == Updates{{S3, first_incarnation, "host:3"}}));
    BOOST_TEST(stage.node->address_of(S3).value() == "host:3");
}

BOOST_AUTO_TEST_CASE(an_address_may_be_replaced_in_the_step_that_truncates_it, *label("6"))
{
    auto stage = Stage{3, by_hand()};
    receive_moved(stage);
    static_cast<void>(updates(stage));

    stage.receive(S3, append_of(Term{2}, {}, Term{2}, 1),
                  entry_with(Term{2}, Index{1}, {{1, "host:1"}, {2, "moved:2"}, {3, "host:3"}}));

    BOOST_TEST((updates(stage) == Updates{{S2, first_incarnation, "moved:2"}, {S3, first_incarnation, "host:3"}}));
}

BOOST_AUTO_TEST_CASE(a_restart_begins_with_the_addresses_of_the_log, *label("6"))
{
    auto stage = Stage{3, by_hand()};
    receive_moved(stage);
    static_cast<void>(updates(stage));

    stage.restart();

    BOOST_TEST((updates(stage) == Updates{{S2, first_incarnation, "host:2"}, {S3, first_incarnation, "moved:3"}}));
    stage.receive(S3, append_of(Term{2}, {}, Term{2}, 1), command_entry(Term{2}, Index{1}, "reed"));
    BOOST_TEST((updates(stage) == Updates{{S3, first_incarnation, "host:3"}}));
}

BOOST_AUTO_TEST_CASE(members_of_both_configurations_are_known_and_others_are_removed, *label("6"))
{
    auto       stage = Stage{3, by_hand()};
    auto const without_3 = Addresses{{1, "host:1"}, {2, "host:2"}, {4, "host:4"}};
    static_cast<void>(updates(stage));

    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1), entry_with(Term{1}, Index{1}, without_3));
    BOOST_TEST((updates(stage) == Updates{{ServerId{4}, first_incarnation, "host:4"}}));
    BOOST_TEST(stage.node->address_of(S3).value() == "host:3");
    BOOST_TEST(stage.wire.removed.empty());
    stage.receive(S2, append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 1, Index{1}, 2),
                  entry_with(Term{1}, Index{2}, without_3));

    BOOST_TEST((stage.wire.removed == std::vector{S3}));
    BOOST_TEST(not stage.node->address_of(S3).has_value());
    BOOST_TEST(updates(stage).empty());
}

/// Those of the configuration at the last entry of the snapshot, and not of one that follows it.
BOOST_AUTO_TEST_CASE(a_snapshot_and_a_boundary_hold_the_addresses_at_their_index, *label("7") * label("case_31"))
{
    auto stage = Stage{3, by_hand()};
    receive_moved(stage);
    stage.receive(S2, append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 1, Index{1}, 2),
                  command_entry(Term{1}, Index{2}, "reed"));
    stage.receive(S2, append_of(Term{1}, {Term{1}, Index{2}}, Term{1}, 1, Index{2}, 3),
                  entry_with(Term{1}, Index{3}, {{1, "host:1"}, {2, "host:2"}, {3, "far:3"}}));
    BOOST_TEST((stage.status().applied == Index{2}));

    stage.node->take_snapshot();
    stage.run();

    BOOST_REQUIRE(stage.log.snapshots().size() == 1U);
    BOOST_TEST((stage.log.snapshots()[0].peers == KnownPeers{members_at(moved), members_at(moved)}));
    BOOST_TEST((stage.status().base == Index{2}));
    stage.restart();
    BOOST_TEST(stage.node->address_of(S3).value() == "far:3");
    stage.receive(S3, append_of(Term{2}, {Term{1}, Index{2}}, Term{2}, 1), command_entry(Term{2}, Index{3}, "rush"));
    BOOST_TEST(stage.node->address_of(S3).value() == "moved:3");
}

/// The snapshot of another server up to entry 8, in which S3 has moved.
[[nodiscard]] SnapshotBytes snapshot_with_moved()
{
    auto const configurations = Configurations{cluster(3), cluster(3)};
    return snapshot_of({1, {Term{1}, Index{8}}, configurations, {members_at(moved), members_at(at_first)}}, {"reed"});
}

void receive_all(Stage& stage, SnapshotBytes const& snapshot)
{
    stage.receive_chunk(S2, part_of(Term{1}, snapshot, 0, snapshot.id.bytes), snapshot.bytes);
}

BOOST_AUTO_TEST_CASE(an_installed_snapshot_brings_the_addresses_that_it_holds, *label("7"))
{
    auto stage = Stage{3, by_hand()};
    static_cast<void>(updates(stage));

    receive_all(stage, snapshot_with_moved());

    BOOST_TEST((stage.status().applied == Index{8}));
    BOOST_TEST((updates(stage) == Updates{{S3, first_incarnation, "moved:3"}}));
    stage.restart();
    BOOST_TEST((updates(stage) == Updates{{S2, first_incarnation, "host:2"}, {S3, first_incarnation, "moved:3"}}));
}

BOOST_AUTO_TEST_CASE(an_install_that_is_finished_at_a_start_brings_its_addresses, *label("7") * label("case_33"))
{
    auto stage = Stage{3, by_hand()};
    stage.machine.keeps = true;
    stage.receive(S2, heartbeat_of(Term{1}, {})); // The term is durable.
    stage.log.memory.hold_syncs();
    receive_all(stage, snapshot_with_moved());
    stage.log.memory.crash(); // The file is durable, and its install is not.
    stage.log.memory.release_syncs();
    stage.machine.kept = Index{8};
    static_cast<void>(updates(stage));

    stage.restart();

    BOOST_REQUIRE_MESSAGE(stage.started.has_value(), stage.started.error().what);
    BOOST_TEST((stage.status().base == Index{8}));
    BOOST_TEST((updates(stage) == Updates{{S2, first_incarnation, "host:2"}, {S3, first_incarnation, "moved:3"}}));
}

/// The entry of a configuration as a leader makes it.
BOOST_AUTO_TEST_CASE(an_entry_of_a_configuration_holds_the_addresses_that_are_noted_or_known, *label("6"))
{
    auto book = AddressBook{};
    book.begin(S1, {members_at(moved), members_at(at_first)}, {cluster(3), cluster(3)});
    auto wanted = cluster(4);
    auto expected = members_at(moved);
    expected.push_back({wanted.members[3], {}});

    BOOST_TEST((members_in(book.encode(wanted)) == expected));
    BOOST_TEST(not book.note(members_at({{4, std::string(address_size_max + 1, 'a')}})));
    BOOST_TEST((members_in(book.encode(wanted)) == expected));

    BOOST_TEST(book.note(members_at({{2, "far:2"}, {4, "new:4"}})));
    expected[1].address = "far:2";
    expected[3].address = "new:4";
    BOOST_TEST((members_in(book.encode(wanted)) == expected));
    wanted.members[1].incarnation = Incarnation{2}; // Another member, of which nothing is known.
    expected[1] = {wanted.members[1], {}};
    BOOST_TEST((members_in(book.encode(wanted)) == expected));

    book.append(Index{5}, members_at(moved));
    BOOST_TEST((members_in(book.encode(cluster(3))) == members_at(moved)));
}

} // namespace
} // namespace totora::test::addresses_tests
