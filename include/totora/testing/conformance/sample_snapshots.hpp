// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/numbers.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace totora::inline v0::conformance
{

/// A snapshot, as another server would have written it.
struct SampleSnapshot
{
    SnapshotId             id;
    Configurations         configurations;
    std::vector<std::byte> bytes;
};

/// The configurations in force at an index and before, where the entry at this index holds one and that before it another.
[[nodiscard]] inline Configurations sample_configurations(LogPosition last)
{
    auto const at = [&](Index index) {
        auto const entries = sample_configuration(last.term, index);
        return *decode_configuration(*entries.begin());
    };
    return {at(last.index), at(last.index > Index{1} ? before(last.index) : last.index)};
}

/// A snapshot around `size` bytes of a machine, in which everything depends on its position and on `variant`.
[[nodiscard]] inline SampleSnapshot
sample_snapshot(LogPosition last, Configurations const& configurations, std::size_t size, std::uint64_t variant = 0)
{
    auto const machine = payload_for(last.index, Term{last.term.value + variant * 1000}, size);
    auto       sample = SampleSnapshot{{.last = last},
                                 configurations,
                                 encode_snapshot_header({3, last, configurations, sample_peers(configurations)})};
    sample.bytes.insert(sample.bytes.end(), machine.begin(), machine.end());
    auto const checksum = crc32c(sample.bytes);
    sample.bytes.resize(sample.bytes.size() + snapshot_trailer_size);
    put(sample.bytes.data() + sample.bytes.size() - snapshot_trailer_size, checksum);
    sample.id.bytes = sample.bytes.size();
    sample.id.checksum = checksum;
    return sample;
}

[[nodiscard]] inline SampleSnapshot sample_snapshot(LogPosition last, std::size_t size, std::uint64_t variant = 0)
{
    return sample_snapshot(last, sample_configurations(last), size, variant);
}

} // namespace totora::inline v0::conformance
