// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/clients/store_history.hpp"
#include "totora/testing/simulate/network/links.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// All requests that the clients of a `Store` ever made, by number, and which of them are open at which server.
class StoreRequests
{
public:
    [[nodiscard]] std::size_t                      size() const { return requests_.size(); }
    [[nodiscard]] StoreRequest&                    operator[](std::size_t number) { return requests_[number]; }
    [[nodiscard]] std::vector<StoreRequest> const& all() const { return requests_; }

    void begin(StoreRequest const& request)
    {
        open_[request.server].push_back(requests_.size());
        requests_.push_back(request);
    }

    void end(std::size_t number, std::uint64_t moment)
    {
        auto& request = requests_[number];
        request.is_open = false;
        request.ended = moment;
        auto& open = open_[request.server];
        if (auto const found = std::find(open.begin(), open.end(), number); found != open.end()) {
            *found = open.back();
            open.pop_back();
        }
    }

    [[nodiscard]] std::size_t open_at(std::size_t server) const { return open_[server].size(); }

    /// The requests that are open at a server, which will not be ended there.
    [[nodiscard]] std::vector<std::size_t> forget(std::size_t server) { return std::exchange(open_[server], {}); }

private:
    std::vector<StoreRequest>                                   requests_;
    std::array<std::vector<std::size_t>, simulated_servers_max> open_; ///< By server, those that wait there.
};

} // namespace totora::inline v0::simulate
