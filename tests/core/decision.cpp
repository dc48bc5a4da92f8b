// SPDX-License-Identifier: BSL-1.0
#include "totora/core/decision.hpp"

#include "support/prove.hpp"

#include <cstddef>

namespace totora::test::decision_tests
{
namespace
{

constexpr auto each_decision_has_a_name_of_its_own = [] {
    for (auto one = std::size_t{0}; one < decision_count; ++one) {
        require(not to_string(static_cast<Decision>(one)).empty(), "it has one");
        for (auto other = std::size_t{0}; other < one; ++other)
            require(to_string(static_cast<Decision>(one)) != to_string(static_cast<Decision>(other)),
                    "nobody else has it");
    }
};
TOTORA_PROVE(each_decision_has_a_name_of_its_own, "Figure 2");

constexpr auto the_name_is_the_enumerators = [] {
    using enum Decision;
    require(to_string(campaign_started) == "campaign_started" and to_string(vote_granted) == "vote_granted",
            "elections");
    require(to_string(stepped_down_no_quorum) == "stepped_down_no_quorum", "and their end");
    require(to_string(append_accepted) == "append_accepted" and to_string(probe_moved_back) == "probe_moved_back",
            "replication");
    require(to_string(ring_outdated) == "ring_outdated", "the world");
    require(to_string(violation_sender) == "violation_sender" and
                to_string(violation_configuration) == "violation_configuration",
            "violations");
};
TOTORA_PROVE(the_name_is_the_enumerators, "Figure 2");

constexpr auto decisions_that_are_named_violation_are_violations = [] {
    for (auto decision = std::size_t{0}; decision < decision_count; ++decision)
        require(is_violation(static_cast<Decision>(decision)) ==
                    to_string(static_cast<Decision>(decision)).starts_with("violation_"),
                "and nothing else");
};
TOTORA_PROVE(decisions_that_are_named_violation_are_violations, "Figure 2");

} // namespace
} // namespace totora::test::decision_tests
