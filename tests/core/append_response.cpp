// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

namespace totora::test::append_response_tests
{
namespace
{

/// Found by a seed: S1 led term 1, and leads term 3 when S2, already in term 3, answers an append of term 1 with its newer term.
constexpr auto a_refusal_of_an_older_term_is_no_answer_to_an_append_of_this_one = [] {
    auto const late = append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 1, Index{}, 50);
    auto const [_, refusal] = checked_step(follower(S2, Term{3}, {{Term{1}, Index{1}, 1}}), from(S1, late));
    auto const answer = sent<AppendEntriesResponse>(refusal, S1)[0];
    auto const leading = leader(follower(S1, Term{2}, {{Term{1}, Index{1}, 2}}));

    auto const [after, outgoing] = checked_step(leading, from(S2, answer));

    require(answer.term == leading.current_term, "both are in term 3");
    require(is_leader(after) and find_progress(after, S2)->next == Index{4}, "the leader goes on where it was");
    require(outgoing.messages.empty() and noted(outgoing, Decision::refusal_outdated),
            "and takes nobody for a broken server");
};
TOTORA_PROVE(a_refusal_of_an_older_term_is_no_answer_to_an_append_of_this_one, "5.3", "case_12", "case_20");

} // namespace
} // namespace totora::test::append_response_tests
