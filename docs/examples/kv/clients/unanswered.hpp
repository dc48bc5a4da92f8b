// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../commands/commands.hpp"
#include "../machine/key_value.hpp"
#include "client_budget.hpp"
#include "reading_cost.hpp"

#include "totora/data/queue.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace kv
{

/// How many requests of one connection may be without their answer; beyond it, the client is not read.
inline constexpr std::size_t unanswered_max = 1024;

/// How many bytes of requests may be without their answer, and of answers unsent; beyond it, the client is not read. The
/// last request and the last answer may pass it, so that one client holds about 64 MiB at most: a request of 9 MiB in a
/// buffer of twice that, 13 MiB on their way, and an answer of 16 MiB in a buffer of twice that.
inline constexpr std::size_t unanswered_bytes_max = std::size_t{4} << 20U;
inline constexpr std::size_t unsent_bytes_max = std::size_t{1} << 20U;

/// What the reads of one client that no answer is written for yet may cost together, in the units of `ClientBudget`, when a write
/// follows them: they are all read in the moment before it is applied. Otherwise the write waits for them.
inline constexpr std::size_t early_cost_max = 4'096;

/// What a client may hold when such a read is done; values that grew meanwhile can make it more, and the read is then refused.
inline constexpr std::size_t early_bytes_max = std::size_t{16} << 20U;

/// What a buffer that is empty may keep: little, for there may be many clients that do nothing.
inline constexpr std::size_t kept_bytes_max = std::size_t{1} << 10U;

/// A request without its answer on the way.
struct Slot
{
    bool                   is_ended = false; ///< The cluster has answered.
    std::optional<Reading> reading; ///< What to read, once this slot is the first or the next write is applied.
    std::string            answer;
    std::size_t            bytes = 0;      ///< Of the request, or of an answer that is there already.
    std::size_t            early_cost = 0; ///< Of the reading; 0 until a write follows.
};

/// The requests of one client that have no answer on the way, in their order, and what they hold.
class Unanswered
{
public:
    explicit Unanswered(ClientBudget& budget) : budget_(budget) {}

    [[nodiscard]] bool        empty() const { return slots_.empty(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] std::size_t held() const { return bytes_ + slots_.size() * sizeof(Slot); }

    /// How many of them have not been read yet.
    [[nodiscard]] std::size_t readings() const { return readings_; }

    [[nodiscard]] bool is_full() const { return slots_.size() >= unanswered_max or bytes_ >= unanswered_bytes_max; }

    Slot& add(bool is_ended)
    {
        slots_.push_back({});
        slots_.back().is_ended = is_ended;
        return slots_.back();
    }

    /// Slots are numbered as long as the connection lasts, because a request may end much later.
    [[nodiscard]] std::uint64_t first() const { return first_; }
    [[nodiscard]] std::uint64_t last() const { return first_ + slots_.size() - 1; }
    [[nodiscard]] Slot&         at(std::uint64_t number) { return slots_[number - first_]; }

    /// The slot of this number, if it is still to be read.
    [[nodiscard]] Slot* waiting_reading(std::uint64_t number)
    {
        auto* const found = number < first_ ? nullptr : &at(number);
        return found != nullptr and found->reading ? found : nullptr;
    }

    void count(Slot& slot, std::size_t bytes)
    {
        slot.bytes += bytes;
        bytes_ += bytes;
    }

    void wait_to_read(Slot& slot, Reading reading)
    {
        slot.reading = std::move(reading);
        ++readings_;
    }

    /// Whether there is an answer to take: the first one.
    [[nodiscard]] bool is_first_ended() { return not slots_.empty() and slots_.front().is_ended; }

    /// Writes the first answer. False if it goes on in the next turn of the node.
    [[nodiscard]] bool take_first(std::string& answers, KeyValue const& machine)
    {
        auto& slot = slots_.front();
        if (slot.reading and (not budget_.has_work() or not read(slot, answers, machine)))
            return false;
        answers.append(slot.answer);
        bytes_ -= slot.bytes;
        static_cast<void>(slots_.pop_front());
        ++first_;
        return true;
    }

    /// Reads what a slot asks for, and forgets what it was. False if it goes on in the next turn of the node.
    [[nodiscard]] bool read(Slot& slot, std::string& to, KeyValue const& machine)
    {
        auto const is_done = read_answer(to, *slot.reading, machine, budget_);
        account_walk(slot);
        if (is_done)
            forget_reading(slot);
        return is_done;
    }

    void forget_reading(Slot& slot)
    {
        --readings_;
        early_cost_ -= std::exchange(slot.early_cost, 0);
        slot.reading.reset();
        if (early_taken_ > early_cost_)
            budget_.end_early(std::exchange(early_taken_, early_cost_) - early_cost_);
    }

    /// The next slot before this write that is still to be read, once each; null if there is none.
    [[nodiscard]] Slot* next_to_read(std::uint64_t write)
    {
        for (unread_ = std::max(unread_, first_); unread_ < write;)
            if (auto& early = at(unread_++); early.reading)
                return &early;
        return nullptr;
    }

    /// Whether all that waits to be read may be read in one moment.
    [[nodiscard]] bool can_read_early(KeyValue const& machine)
    {
        for (costed_ = std::max(costed_, first_); costed_ < first_ + slots_.size(); ++costed_)
            if (auto& waiting = at(costed_); waiting.reading) {
                waiting.early_cost = reading_cost(waiting.reading->command, waiting.reading->keys, machine);
                early_cost_ += waiting.early_cost;
            }
        if (early_cost_ > early_cost_max or not budget_.take_early(early_cost_ - early_taken_))
            return false;
        early_taken_ = early_cost_;
        return true;
    }

    /// An empty queue keeps no memory.
    void rest()
    {
        if (slots_.empty())
            slots_ = {};
    }

    /// The budget may be gone before the last handler that holds the connection.
    void close_accounts()
    {
        if (auto const taken = std::exchange(early_taken_, 0); taken > 0)
            budget_.end_early(taken);
    }

private:
    /// What a walk has found counts as of its request, until it is answered.
    void account_walk(Slot& slot)
    {
        if (not slot.reading->walk)
            return;
        auto const more = std::max(slot.bytes, slot.reading->walk->keys.capacity()) - slot.bytes;
        count(slot, more);
    }

    ClientBudget&       budget_;
    totora::Queue<Slot> slots_;
    std::uint64_t       first_ = 0;
    std::size_t         bytes_ = 0;
    std::size_t         readings_ = 0;    ///< Slots that have not been read yet.
    std::size_t         early_cost_ = 0;  ///< Of these, as far as it is known.
    std::size_t         early_taken_ = 0; ///< Of that, what the budget knows of.
    std::uint64_t       costed_ = 0;      ///< All slots before this one have a known cost.
    std::uint64_t       unread_ = 0;      ///< In no slot before this one there is something left to read.
};

} // namespace kv
