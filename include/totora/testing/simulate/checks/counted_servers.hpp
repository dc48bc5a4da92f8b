// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/quorum.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/simulate/checks/first_violation.hpp"
#include "totora/testing/simulate/checks/lives.hpp"

#include <cstddef>
#include <cstdint>

namespace totora::inline v0::simulate
{

/// The servers of a simulated cluster, members or not, and who of them decides. Servers are counted from 0.
class CountedServers : public FirstViolation
{
public:
    /// So many servers are counted, those of the first numbers. They vote where no configuration says who does; with none nothing is
    /// said of majorities.
    void has_servers(std::size_t count) { count_ = count; }

    /// Whether this is one of the servers that are counted.
    [[nodiscard]] bool is_member(ServerId server) const
    {
        return server != nobody and (count_ == 0 or server.value <= count_);
    }

protected:
    /// The lives that they are in.
    [[nodiscard]] Lives&       lives() { return lives_; }
    [[nodiscard]] Lives const& lives() const { return lives_; }

    [[nodiscard]] bool counts_none() const { return count_ == 0; }

    /// Whether enough servers to decide are so, by a configuration; `is` is asked for their numbers.
    template <typename Is>
    [[nodiscard]] bool is_majority(Configuration const& configuration, Is is) const
    {
        auto const is_one = [&](ServerId server) { return is(static_cast<std::size_t>(server.value - 1)); };
        if (not configuration.members.empty())
            return has_quorum(configuration, is_one);
        auto all = Configuration{};
        for (auto id = std::uint64_t{1}; id <= count_; ++id)
            all.members.push_back({ServerId{id}, {}, MemberKind::voter});
        return has_quorum(all, is_one);
    }

private:
    std::size_t count_ = 0;
    Lives       lives_;
};

} // namespace totora::inline v0::simulate
