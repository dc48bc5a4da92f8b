// SPDX-License-Identifier: BSL-1.0
#include "totora/core/decision.hpp"

#include "support/prove.hpp"

#include <cstddef>

namespace totora::test
{
namespace
{

constexpr auto each_outcome_has_a_name_of_its_own = [] {
    for (auto one = std::size_t{0}; one < outcome_count; ++one) {
        require(not name_of(static_cast<Outcome>(one)).empty(), "it has one");
        for (auto other = std::size_t{0}; other < one; ++other)
            require(name_of(static_cast<Outcome>(one)) != name_of(static_cast<Outcome>(other)), "nobody else has it");
    }
};
TOTORA_PROVE(each_outcome_has_a_name_of_its_own, "Figure 2");

constexpr auto the_name_is_the_enumerators = [] {
    using enum Outcome;
    require(name_of(campaign_started) == "campaign_started" and name_of(vote_granted) == "vote_granted", "elections");
    require(name_of(stepped_down_no_quorum) == "stepped_down_no_quorum", "and their end");
    require(name_of(append_accepted) == "append_accepted" and name_of(probe_moved_back) == "probe_moved_back",
            "replication");
    require(name_of(ring_outdated) == "ring_outdated", "the world");
    require(name_of(breach_sender) == "breach_sender" and name_of(breach_configuration) == "breach_configuration",
            "breaches");
};
TOTORA_PROVE(the_name_is_the_enumerators, "Figure 2");

constexpr auto a_breach_is_what_is_named_so = [] {
    for (auto outcome = std::size_t{0}; outcome < outcome_count; ++outcome)
        require(is_breach(static_cast<Outcome>(outcome)) ==
                    name_of(static_cast<Outcome>(outcome)).starts_with("breach_"),
                "and nothing else");
};
TOTORA_PROVE(a_breach_is_what_is_named_so, "Figure 2");

} // namespace
} // namespace totora::test
