// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>

namespace kv
{

/// What all clients of a server share.
///
/// Work: between two turns of the node no more is done for clients than `work_per_turn`, whatever they send, so that
/// heartbeats leave in time. Its unit is one word of a request or 256 bytes, some hundred nanoseconds.
///
/// Early reads are work that cannot be put off, because it is done when a write is applied; in all no more of it may be due than
/// fits between two turns.
///
/// Memory: what is held for them, in bytes.
class ClientBudget
{
public:
    static constexpr std::size_t work_per_turn = 16'384;
    static constexpr std::size_t bytes_per_unit = 256;

    explicit ClientBudget(std::size_t memory_bytes_max) : memory_bytes_max_(memory_bytes_max) {}

    [[nodiscard]] bool has_work() const { return work_ > 0; }
    void               spend(std::size_t units) { work_ -= std::min(units, work_); }
    void               begin_turn() { work_ = work_per_turn; }

    /// Takes more early work on; false, and nothing, if that is too much.
    [[nodiscard]] bool take_early(std::size_t units)
    {
        if (units > work_per_turn - early_)
            return false;
        early_ += units;
        return true;
    }
    void end_early(std::size_t units) { early_ -= units; }

    /// What is held for one client has changed.
    void hold(std::size_t before, std::size_t now) { memory_bytes_ += now - before; }

    [[nodiscard]] std::size_t memory_bytes() const { return memory_bytes_; }
    [[nodiscard]] bool        is_memory_full() const { return memory_bytes_ > memory_bytes_max_; }

private:
    std::size_t work_ = work_per_turn;
    std::size_t early_ = 0;
    std::size_t memory_bytes_ = 0;
    std::size_t memory_bytes_max_;
};

} // namespace kv
