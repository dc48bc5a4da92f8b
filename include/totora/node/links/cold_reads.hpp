// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/policy/adapter.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace totora::inline v0
{

/// What one turn may read from disk: so many bytes in all, or one entry if that is larger. Whatever goes beyond waits for the
/// next turn, so that a follower or a machine that lags does not keep heartbeats waiting (case 94).
///
/// Appends and the state machine share it. The one that was turned away has the next turn to itself.
class ColdReads
{
public:
    enum class Reader : std::uint8_t
    {
        appends,
        machine,
    };

    explicit ColdReads(std::uint64_t bytes_max) : bytes_max_(bytes_max), left_(bytes_max) {}

    void begin_turn()
    {
        left_ = bytes_max_;
        reserved_ = waits_;
        waits_ = Waits::none;
        stopped_ = false;
        machine_stopped_ = false;
    }

    /// Nothing more is read from disk in this turn: the log cannot for this reader, and asking at once again would not help. `why` is empty if
    /// it is only being fetched.
    void stop(Reader reader, std::string const& why)
    {
        if (not is_held_up(reader) and not why.empty())
            held_up_ = why;
        is_held_up(reader) = is_held_up(reader) or not why.empty();
        left_ = 0;
        stopped_ = true;
        machine_stopped_ = machine_stopped_ or reader == Reader::machine;
    }

    /// Whether what waits should wait for something else to happen, instead of for the next turn.
    [[nodiscard]] bool is_stopped() const { return stopped_; }

    /// Why the log cannot read now, once until it could again for the same reader.
    [[nodiscard]] std::optional<std::string> take_held_up() { return std::exchange(held_up_, std::nullopt); }

    /// Whether the machine can be given its next entry in the next turn: what is in memory waits for no follower's.
    template <typename Log>
    [[nodiscard]] bool can_apply(Log const& log, Index next) const
    {
        return not machine_stopped_ and (not stopped_ or cold_bytes(log, next, next) == 0);
    }

    /// How many of `wanted` bytes may be read from `first` on now: 0 if none, otherwise at least the first entry's. What is in
    /// memory costs nothing; of a log without `cold_bytes` all is.
    template <typename Log>
    [[nodiscard]] std::uint64_t allowed(Log const& log, Reader reader, Index first, std::uint64_t wanted)
    {
        auto const cold = cold_bytes(log, first, first);
        if (cold == 0)
            return wanted;
        auto const is_reserved = reserved_ != Waits::none and reserved_ != waits_of(reader);
        if (is_reserved or (cold > left_ and left_ < bytes_max_)) {
            if (waits_ == Waits::none or waits_ == reserved_) // Who had this turn alone comes after who did not.
                waits_ = waits_of(reader);
            return 0;
        }
        return std::min(wanted, left_);
    }

    /// These entries were read.
    template <typename Log>
    void count(Log const& log, Reader reader, Index first, Index last)
    {
        auto const cold = cold_bytes(log, first, last);
        left_ -= std::min(left_, cold);
        // What is in memory for one follower says nothing of what another needs.
        is_held_up(reader) = reader == Reader::appends and appends_held_up_ and cold == 0;
    }

private:
    enum class Waits : std::uint8_t
    {
        none,
        appends,
        machine,
    };

    [[nodiscard]] static Waits waits_of(Reader reader)
    {
        return reader == Reader::appends ? Waits::appends : Waits::machine;
    }

    [[nodiscard]] bool& is_held_up(Reader reader)
    {
        return reader == Reader::appends ? appends_held_up_ : machine_held_up_;
    }

    template <typename Log>
    [[nodiscard]] static std::uint64_t cold_bytes(Log const& log, Index first, Index last)
    {
        return if_offered(
            log, [=](auto& one) -> decltype(one.cold_bytes(first, last)) { return one.cold_bytes(first, last); },
            [] { return std::uint64_t{0}; });
    }

    std::uint64_t bytes_max_;
    std::uint64_t left_;
    Waits         waits_ = Waits::none;     ///< Who was turned away in this turn, first.
    Waits         reserved_ = Waits::none;  ///< Who alone may read in this turn.
    bool          stopped_ = false;         ///< In this turn.
    bool          machine_stopped_ = false; ///< By what the machine reads.
    bool          appends_held_up_ = false; ///< The last read of cold bytes was in vain.
    bool          machine_held_up_ = false;

    std::optional<std::string> held_up_; ///< Not yet told.
};

} // namespace totora::inline v0
