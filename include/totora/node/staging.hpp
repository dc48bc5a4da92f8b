// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/types.hpp"
#include "totora/policy/entry.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace totora
{

/// Payloads beside the log, in one block, that the core has not yet accepted. What it refuses is dropped, and
/// nothing else has happened (case 87).
class Staging
{
public:
    /// Copies a payload behind those that wait.
    void add(std::span<std::byte const> payload)
    {
        auto const at = bytes_.size();
        bytes_.resize(at + entry_header_size + payload.size());
        std::copy(payload.begin(), payload.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at + entry_header_size));
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
        auto const block = std::make_shared<std::vector<std::byte>>(std::move(bytes_));
        auto       rest = std::span{*block};
        auto       index = run.first;
        for (auto const size : sizes_) {
            seal_entry(rest.first(size), index, run.term, kind, 0);
            rest = rest.subspan(size);
            index = next(index);
        }
        auto entries = Entries{};
        entries.add({block, *block}, sizes_.size());
        bytes_ = {};
        sizes_.clear();
        return entries;
    }

    [[nodiscard]] std::size_t                     count() const { return sizes_.size(); }
    [[nodiscard]] std::size_t                     bytes() const { return bytes_.size(); }
    [[nodiscard]] std::vector<std::size_t> const& sizes() const { return sizes_; } ///< Encoded, one for each payload.

private:
    std::vector<std::byte>   bytes_;
    std::vector<std::size_t> sizes_;
};

/// The entry with which a leader begins its term (§8).
[[nodiscard]] inline Entries make_no_op(Run const& run)
{
    auto staging = Staging{};
    staging.add({});
    return staging.seal(run, EntryKind::no_op);
}

} // namespace totora
