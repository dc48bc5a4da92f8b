// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/snapshot_machine.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace totora::inline v0::conformance
{

/// Gathers what a capture writes.
class GatheredBytes final : public SnapshotSink
{
public:
    std::vector<std::byte> bytes;

    void write(std::span<std::byte const> more) override { bytes.insert(bytes.end(), more.begin(), more.end()); }
};

/// Counts what a capture writes.
class CountedBytes final : public SnapshotSink
{
public:
    std::uint64_t count = 0;

    void write(std::span<std::byte const> more) override { count += more.size(); }
};

/// What a machine is restored from: bytes in memory, to their end.
class BytesSource final : public SnapshotSource
{
public:
    BytesSource(std::span<std::byte const> bytes, std::uint32_t format) : SnapshotSource(format), rest_(bytes) {}

    [[nodiscard]] std::size_t read(std::span<std::byte> into) override
    {
        auto const count = std::min(into.size(), rest_.size());
        std::copy_n(rest_.begin(), count, into.begin());
        rest_ = rest_.subspan(count);
        return count;
    }

private:
    std::span<std::byte const> rest_;
};

/// Places from 0 to before `end`: all if they are few, otherwise those at both ends, and as many between them.
[[nodiscard]] inline std::vector<std::size_t> sampled_places(std::size_t end, std::size_t count_max)
{
    auto       places = std::vector<std::size_t>{};
    auto const near_end = count_max / 3;
    auto const step = end <= count_max ? std::size_t{1} : end / near_end + 1;
    for (auto at = std::size_t{0}; at < end;
         at += at < near_end or at + near_end >= end ? 1 : std::min(step, end - near_end - at))
        places.push_back(at);
    return places;
}

} // namespace totora::inline v0::conformance
