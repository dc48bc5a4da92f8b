// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/types.hpp"

#include <cstddef>
#include <cstdint>

namespace totora::test
{

inline constexpr ServerId S1{1}, S2{2}, S3{3}, S4{4}, S5{5};

/// A configuration of the voters S1 to S`voters`, made with the directory.
[[nodiscard]] constexpr Configuration cluster(std::uint64_t voters)
{
    auto configuration = Configuration{};
    for (auto id = std::uint64_t{1}; id <= voters; ++id)
        configuration.members.push_back({ServerId{id}, Incarnation{1}, MemberKind::voter});
    return configuration;
}

/// A configuration of the voters S1 to S`voters` and, after them, learners.
[[nodiscard]] constexpr Configuration voters_and_learners(std::uint64_t voters, std::uint64_t learners)
{
    auto configuration = cluster(voters + learners);
    for (auto at = voters; at < voters + learners; ++at)
        configuration.members[static_cast<std::size_t>(at)].kind = MemberKind::learner;
    return configuration;
}

} // namespace totora::test
