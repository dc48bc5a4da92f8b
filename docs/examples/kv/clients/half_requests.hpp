// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace kv
{

/// How long a request may take to arrive before it is slow, and what all slow ones may hold together. One may hold more.
inline constexpr auto        slow_after = std::chrono::seconds{2};
inline constexpr std::size_t slow_bytes_max = std::size_t{8} << 20U;

/// The connections of which the rest of a request is waited for.
template <typename One>
class HalfRequests
{
public:
    using Clock = std::chrono::steady_clock;

    /// The rest of a request is waited for from now on, or no more.
    void set(One& connection, bool is_half_here, Clock::time_point now)
    {
        auto const known = numbers_.find(&connection);
        if (known != numbers_.end()) {
            halves_.erase(known->second);
            numbers_.erase(known);
        }
        if (is_half_here) {
            halves_[++seen_] = Half{&connection, now};
            numbers_[&connection] = seen_;
        }
    }

    [[nodiscard]] std::size_t size() const { return halves_.size(); }

    /// Those whose request has been arriving for too long, the slowest first.
    [[nodiscard]] std::vector<std::shared_ptr<One>> slow(Clock::time_point now) const
    {
        auto slow = std::vector<std::shared_ptr<One>>{};
        for (auto const& [_, half] : halves_) {
            if (now - half.since < slow_after)
                break;
            slow.push_back(half.connection->shared_from_this());
        }
        return slow;
    }

private:
    struct Half
    {
        One*              connection = nullptr;
        Clock::time_point since;
    };

    std::map<std::uint64_t, Half> halves_; ///< In the order in which they began.
    std::map<One*, std::uint64_t> numbers_;
    std::uint64_t                 seen_ = 0;
};

} // namespace kv
