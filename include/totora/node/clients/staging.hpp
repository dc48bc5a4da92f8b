// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/queue.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Payloads beside the log, in one block, that the core has not yet accepted. What it refuses is dropped, and
/// nothing else has happened (case 87).
class Staging
{
public:
    /// Makes room for so many more payloads of so many encoded bytes in all, so that adding them cannot fail.
    void make_room(std::size_t count, std::size_t bytes)
    {
        totora::make_room(sizes_, count);
        totora::make_room(bytes_, bytes);
    }

    /// Copies a payload after those that wait. Room for it was made.
    void add(std::span<std::byte const> payload)
    {
        bytes_.resize(bytes_.size() + entry_header_size);
        bytes_.insert(bytes_.end(), payload.begin(), payload.end());
        sizes_.push_back(entry_header_size + payload.size());
    }

    /// Drops all but the first `count` payloads.
    void keep(std::size_t count)
    {
        while (sizes_.size() > count) {
            bytes_.resize(bytes_.size() - sizes_.back());
            sizes_.pop_back();
        }
    }

    /// Makes entries of what is staged: from now on the bytes never change. Nothing is staged afterwards.
    [[nodiscard]] Entries seal(Run const& run, EntryKind kind)
    {
        auto const size = bytes_.size();
        auto const block = std::make_shared_for_overwrite<std::byte[]>(size); // One block, of exactly what is needed.
        std::copy(bytes_.begin(), bytes_.end(), block.get());
        auto rest = std::span{block.get(), size};
        auto index = run.first;
        for (auto const each : sizes_) {
            seal_entry(rest.first(each), index, run.term, kind, 0);
            rest = rest.subspan(each);
            index = next(index);
        }
        auto entries = Entries{};
        entries.add({block, {block.get(), size}}, sizes_.size());
        drop_all();
        return entries;
    }

    [[nodiscard]] std::size_t                     count() const { return sizes_.size(); }
    [[nodiscard]] std::size_t                     bytes() const { return bytes_.size(); }
    [[nodiscard]] std::vector<std::size_t> const& sizes() const { return sizes_; } ///< Encoded, one for each payload.

private:
    /// Keeps the memory for what comes next, unless it was an unusual lot.
    void drop_all()
    {
        bytes_.clear();
        sizes_.clear();
        if (bytes_.capacity() > kept_bytes_max)
            bytes_ = {};
    }

    static constexpr std::size_t kept_bytes_max = std::size_t{1} << 20U;

    std::vector<std::byte>   bytes_;
    std::vector<std::size_t> sizes_;
};

/// The entry with which a leader begins its term (§8).
[[nodiscard]] inline Entries make_no_op(Run const& run)
{
    auto staging = Staging{};
    staging.make_room(1, entry_header_size);
    staging.add({});
    return staging.seal(run, EntryKind::no_op);
}

/// The entry of a configuration, whose payload this is (§6).
[[nodiscard]] inline Entries make_configuration(Run const& run, std::span<std::byte const> payload)
{
    auto staging = Staging{};
    staging.make_room(1, entry_header_size + payload.size());
    staging.add(payload);
    return staging.seal(run, EntryKind::configuration);
}

} // namespace totora::inline v0
