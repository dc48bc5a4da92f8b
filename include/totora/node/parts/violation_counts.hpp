// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>

namespace totora::inline v0
{

/// How often a server sent what no correct server can send.
struct ViolationsOf
{
    ServerId      server; ///< `nobody` stands for all that found no row of their own.
    std::uint64_t count = 0;
    Decision      last = Decision::violation_sender; ///< The newest, by name.

    friend bool operator==(ViolationsOf const&, ViolationsOf const&) = default;
};

/// Violations by sender, in a table that no number of senders lets grow.
class ViolationCounts
{
public:
    static constexpr std::size_t rows_max = 2 * servers_max;

    using Rows = InplaceVector<ViolationsOf, rows_max>;

    void add(ServerId server, Decision violation)
    {
        auto* row = find(server);
        if (row == nullptr and rows_.size() + 1 < rows_max and rows_.push_back({server, 0, violation}))
            row = &rows_.back();
        if (row == nullptr)
            row = find(nobody);
        if (row == nullptr and rows_.push_back({nobody, 0, violation}))
            row = &rows_.back();
        if (row == nullptr)
            return;
        ++row->count;
        row->last = violation;
    }

    [[nodiscard]] Rows const& rows() const { return rows_; }

private:
    [[nodiscard]] ViolationsOf* find(ServerId server)
    {
        for (auto& row : rows_)
            if (row.server == server)
                return &row;
        return nullptr;
    }

    Rows rows_;
};

} // namespace totora::inline v0
