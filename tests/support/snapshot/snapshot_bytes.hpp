// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"
#include "support/bytes.hpp"
#include "support/stage_parts.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/data/numbers.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/policy/snapshot_machine.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Snapshots as bytes, as another server would have written them.
namespace totora::test
{

struct SnapshotBytes
{
    SnapshotId             id;
    std::vector<std::byte> bytes;
};

/// Gathers what a capture writes.
class GatheringSink final : public SnapshotSink
{
public:
    std::vector<std::byte> bytes;

    void write(std::span<std::byte const> more) override { bytes.insert(bytes.end(), more.begin(), more.end()); }
};

/// A snapshot around what a state machine wrote.
[[nodiscard]] inline SnapshotBytes snapshot_around(SnapshotHeader const& header, std::span<std::byte const> machine)
{
    auto  snapshot = SnapshotBytes{{.last = header.last}, encode_snapshot_header(header)};
    auto& bytes = snapshot.bytes;
    bytes.insert(bytes.end(), machine.begin(), machine.end());
    snapshot.id.checksum = crc32c(bytes);
    bytes.resize(bytes.size() + snapshot_trailer_size);
    put(bytes.data() + bytes.size() - snapshot_trailer_size, static_cast<std::uint32_t>(snapshot.id.checksum));
    snapshot.id.bytes = bytes.size();
    return snapshot;
}

/// The members of these configurations, with the addresses that `peers_of` gives.
[[nodiscard]] inline KnownPeers peers_in(Configurations const& configurations)
{
    auto const all = peers_of(servers_max);
    return {totora::peers_of(configurations.in_force, all), totora::peers_of(configurations.previous, all)};
}

/// The snapshot of a `Recorder` that applied these commands, from index 1 on, in the term of the header.
[[nodiscard]] inline SnapshotBytes snapshot_of(SnapshotHeader const& header, std::vector<std::string> const& commands)
{
    auto sink = GatheringSink{};
    auto machine = Recorder{};
    for (auto const& command : commands)
        machine.applied.push_back({{header.last.term, Index{machine.applied.size() + 1}}, command});
    machine.capture().write(sink);
    return snapshot_around(header, sink.bytes);
}

/// The same in a cluster of three.
[[nodiscard]] inline SnapshotBytes
snapshot_of(LogPosition last, std::vector<std::string> const& commands, std::uint32_t format = 1)
{
    auto const configurations = Configurations{cluster(3), cluster(3)};
    return snapshot_of({format, last, configurations, peers_in(configurations)}, commands);
}

/// A part of a snapshot, as the leader of `term` sends it.
[[nodiscard]] inline InstallSnapshot
part_of(Term term, SnapshotBytes const& snapshot, std::uint64_t offset, std::uint64_t bytes)
{
    return {.term = term, .snapshot = snapshot.id, .offset = offset, .bytes = bytes};
}

} // namespace totora::test
