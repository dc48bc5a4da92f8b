// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/wire/frame.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The verdict on the process at the other end of a completed handshake.
enum class LifeVerdict : std::uint8_t
{
    known,      ///< The one that was met before, or the first.
    newer,      ///< It replaces the one that was met before.
    superseded, ///< A newer one was met meanwhile; nothing proves that this one still runs.
    twice,      ///< This one and another one run: both are refused.
    set_back, ///< Its log counts fewer starts than were met before, and no other process runs: its disk was lost or set back.
};

/// The newest process of each server, and whether two of them run (case 95).
///
/// A later start is newer. Of equal starts, as of a log that is kept in memory, the later to arrive is. That an older
/// one ran after a newer one is certain only if its handshake began after one of the newer's: it has replied to a
/// number that did not exist before. Then both are refused, as long as both retry. One that retries alone with a lower
/// start than the highest that was met has lost the disk with its promises, and stays refused (case 68).
class TcpLives
{
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    /// A refused process that was not met for `patience` counts as ended.
    explicit TcpLives(Duration patience) : patience_(patience) {}

    /// Numbers a handshake that begins now, with this side's challenge or by dialing.
    [[nodiscard]] std::uint64_t begin() { return ++begun_; }

    /// Judges the process at the other end of a completed handshake, which began as number `begun`.
    [[nodiscard]] LifeVerdict complete(Party const& party, Life life, std::uint64_t begun, Time now)
    {
        auto const [place, is_new] =
            met_.try_emplace({party.id, party.incarnation}, Met{life, begun, {}, false, now, now, life.start, now});
        auto& met = place->second;
        if (is_new)
            return LifeVerdict::known;
        met.met = now;
        met.highest_start = std::max(met.highest_start, life.start);
        if (met.twice)
            return check_again(met, life, begun, now);
        if (life == met.newest) {
            met.begun = std::max(met.begun, begun);
            return LifeVerdict::known;
        }
        auto const was_replaced = std::find(met.replaced.begin(), met.replaced.end(), life) != met.replaced.end();
        if (life.start < met.newest.start or was_replaced) {
            if (begun < met.begun)
                return LifeVerdict::superseded;
            met.twice = true;
            met.newest_met = met.other_met = now;
            return LifeVerdict::twice;
        }
        if (life.start == met.newest.start and begun < met.begun)
            return LifeVerdict::superseded;
        met.replaced.push_back(std::exchange(met.newest, life));
        if (met.replaced.size() > replaced_max)
            met.replaced.erase(met.replaced.begin());
        met.begun = begun;
        return LifeVerdict::newer;
    }

    /// The newest process that was met of a server.
    [[nodiscard]] Life newest(Party const& party) const
    {
        auto const found = met_.find({party.id, party.incarnation});
        return found == met_.end() ? Life{} : found->second.newest;
    }

    /// The highest start that was met of a server.
    [[nodiscard]] std::uint64_t highest_start(Party const& party) const
    {
        auto const found = met_.find({party.id, party.incarnation});
        return found == met_.end() ? 0 : found->second.highest_start;
    }

    /// Forgets the least recently met server of those that are not known, if there are too many: any process can send a hello
    /// under any id.
    template <typename IsKnown>
    void forget(IsKnown is_known)
    {
        if (met_.size() <= met_max)
            return;
        auto least = met_.end();
        for (auto one = met_.begin(); one != met_.end(); ++one)
            if (not is_known(Party{one->first.first, one->first.second}) and
                (least == met_.end() or one->second.met < least->second.met))
                least = one;
        if (least != met_.end())
            met_.erase(least);
    }

    [[nodiscard]] std::size_t size() const { return met_.size(); }

    static constexpr std::size_t met_max = 256;

private:
    static constexpr std::size_t replaced_max = 8;

    struct Met
    {
        Life              newest;
        std::uint64_t     begun = 0; ///< The latest handshake of the newest.
        std::vector<Life> replaced;  ///< Those before it, the latest last.
        bool              twice = false;
        Time              newest_met; ///< While `twice`: when the newest was met last,
        Time              other_met;  ///< and when any other was.
        std::uint64_t     highest_start = 0;
        Time              met; ///< When any of them was met last.
    };

    /// Judges while two are refused: the one that retries alone becomes the newest, unless a later start of the server
    /// was met.
    [[nodiscard]] LifeVerdict check_again(Met& met, Life life, std::uint64_t begun, Time now) const
    {
        (life == met.newest ? met.newest_met : met.other_met) = now;
        if (now - std::min(met.newest_met, met.other_met) <= patience_)
            return LifeVerdict::twice;
        if (life.start < met.highest_start)
            return LifeVerdict::set_back;
        met = Met{life, begun, {}, false, now, now, life.start, now};
        return LifeVerdict::newer;
    }

    Duration                                        patience_;
    std::uint64_t                                   begun_ = 0;
    std::map<std::pair<ServerId, Incarnation>, Met> met_;
};

} // namespace totora::inline v0
