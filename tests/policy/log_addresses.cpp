// SPDX-License-Identifier: BSL-1.0
// Logs keep the addresses of members with their configurations: in entries, in boundaries, and in snapshots.
#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "support/snapshot/snapshot_bytes.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/log/segmented_log.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::test::log_addresses_tests
{
namespace
{

using boost::unit_test::label;

/// Members 1 and 2 at these addresses.
[[nodiscard]] std::vector<Peer> at(std::string const& one, std::string const& two)
{
    return {{cluster(2).members[0], one}, {cluster(2).members[1], two}};
}

[[nodiscard]] Entries entry_with(Index index, std::vector<Peer> const& peers)
{
    auto entries = Entries{};
    entries.add(entry_slice(index, Term{1}, encode_configuration(Abilities{}, peers), EntryKind::configuration), 1);
    return entries;
}

/// A log in memory, started again.
class Memory
{
public:
    MemoryLog log{identity_of_first()};

    [[nodiscard]] KnownPeers restart()
    {
        log.crash();
        return log.recover()->peers;
    }
};

/// A log in segments, started again after a loss of power.
class Segments
{
public:
    TestLog& log_now() { return *log_; }

    [[nodiscard]] KnownPeers restart()
    {
        log_.reset();
        disk_->lose_power({.keeps = [](auto, auto) { return false; }, .names_kept = 0});
        log_.emplace(*open_log(disk_));
        return log_->recover()->peers;
    }

private:
    Disk                   disk_ = disk_with_log();
    std::optional<TestLog> log_{*open_log(disk_)};
};

template <typename Log>
void receive(Log& log, SnapshotBytes const& snapshot)
{
    log.store_chunk(snapshot.id, 0, snapshot.bytes);
    log.finish_chunks(snapshot.id);
    log.sync();
    auto const end = log.snapshot_end();
    BOOST_REQUIRE(end.has_value());
    BOOST_TEST(not end->failure.has_value());
}

/// Entries, their truncation, a compaction and an install, with a restart after each. `log()` is the log as it is now.
template <typename GetLog, typename Restart>
void expect_that_addresses_are_kept(GetLog log, Restart restart)
{
    auto const first = identity_of_first().first_members;
    auto const moved = at("host:1", "moved:2");
    auto const far = at("far:1", "moved:2");
    BOOST_TEST((restart() == KnownPeers{first, first}));

    log().append(WriteNumber{1}, entry_with(Index{1}, moved));
    log().append(WriteNumber{2}, entry_with(Index{2}, far));
    log().sync();
    BOOST_TEST((restart() == KnownPeers{far, moved}));
    log().truncate(WriteNumber{1}, Index{2});
    log().sync();
    BOOST_TEST((restart() == KnownPeers{moved, first}));

    auto known = Configurations{cluster(2), cluster(3)};
    known.in_force.index = Index{1};
    log().compact(WriteNumber{1}, {Term{1}, Index{1}}, known, {moved, first});
    log().append(WriteNumber{2}, entry_with(Index{2}, far));
    log().sync();
    BOOST_TEST((restart() == KnownPeers{far, moved}));
    BOOST_TEST((restart() == KnownPeers{far, moved})); // By the header of the segment of the last start.
    log().truncate(WriteNumber{1}, Index{2});
    log().sync();
    BOOST_TEST((restart() == KnownPeers{moved, first}));

    known.in_force.index = Index{9};
    known.previous.index = Index{1};
    auto const snapshot = snapshot_of({1, {Term{3}, Index{9}}, known, {far, first}}, {"reed"});
    receive(log(), snapshot);
    BOOST_TEST((log().snapshots().at(0).peers == KnownPeers{far, first}));
    BOOST_TEST((restart() == KnownPeers{moved, first}));
    BOOST_TEST((log().snapshots().at(0).peers == KnownPeers{far, first}));
    log().install(WriteNumber{1}, snapshot.id, known, {far, first});
    log().sync();
    BOOST_TEST((restart() == KnownPeers{far, first}));
}

/// As many members as there can be, each with an address that is as long as it can be.
[[nodiscard]] std::vector<Peer> with_longest_addresses()
{
    auto peers = std::vector<Peer>{};
    for (auto const& member : cluster(servers_max).members)
        peers.push_back({member, std::string(address_size_max, static_cast<char>('a' + member.id.value))});
    return peers;
}

BOOST_AUTO_TEST_SUITE(log_addresses)

BOOST_AUTO_TEST_CASE(a_log_in_memory_keeps_addresses, *label("7"))
{
    auto memory = Memory{};
    expect_that_addresses_are_kept([&]() -> MemoryLog& { return memory.log; }, [&] { return memory.restart(); });
}

BOOST_AUTO_TEST_CASE(a_log_in_segments_keeps_addresses, *label("7"))
{
    auto segments = Segments{};
    expect_that_addresses_are_kept([&]() -> TestLog& { return segments.log_now(); },
                                   [&] { return segments.restart(); });
}

/// A compaction asks for no room: what it takes is left by what does ask.
BOOST_AUTO_TEST_CASE(a_log_on_a_full_disk_has_room_left_for_a_boundary_with_long_addresses, *label("case_67"))
{
    auto const everybody = with_longest_addresses();
    auto const disk = disk_with_log();
    auto       options = small_options();
    options.segment_bytes = 65536;
    auto log = *open_log(disk, options);
    BOOST_TEST(not log.rely_on_machine().has_value());
    log.append(WriteNumber{1}, entry_with(Index{1}, everybody));
    log.append(WriteNumber{2}, entry_with(Index{2}, everybody));
    log.sync();
    disk->limit_space(0);
    auto write = std::uint64_t{2};
    while (log.has_room(100)) {
        log.append(WriteNumber{++write}, entries_of(Term{1}, next(log.last().index), 1, 60));
        log.sync();
    }
    BOOST_TEST(write > 100U);

    auto known = Configurations{cluster(servers_max), cluster(servers_max)};
    known.in_force.index = Index{2};
    known.previous.index = Index{1};
    log.compact(WriteNumber{++write}, {Term{1}, Index{2}}, known, {everybody, everybody});
    log.sync();

    BOOST_TEST(not log.failure().has_value());
    BOOST_TEST(log.durable().through().value == write);
}

/// A boundary may be larger than the segments of a log are meant to be: they get larger.
BOOST_AUTO_TEST_CASE(the_longest_boundary_fits_into_small_segments)
{
    auto const everybody = Configurations{cluster(servers_max), cluster(servers_max)};
    auto const peers = KnownPeers{with_longest_addresses(), with_longest_addresses()};
    auto       segments = Segments{};
    segments.log_now().append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 5));
    segments.log_now().sync();

    segments.log_now().compact(WriteNumber{2}, {Term{1}, Index{3}}, everybody, peers);
    segments.log_now().append(WriteNumber{3}, entries_of(Term{1}, Index{6}, 90, 100));
    segments.log_now().sync();

    for (auto start = 0; start < 3; ++start) {
        BOOST_TEST((segments.restart() == peers));
        BOOST_TEST((segments.log_now().last() == LogPosition{Term{1}, Index{95}}));
        BOOST_TEST(not segments.log_now().failure().has_value());
        BOOST_TEST(segments.log_now().has_room(100));
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace totora::test::log_addresses_tests
