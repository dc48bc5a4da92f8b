// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/types.hpp"

#include "support/prove.hpp"

// Positions in a log, and what lies beside them.

namespace totora::test::types_tests
{
namespace
{

/// If it were not so, the arithmetic of a log without entries would wrap around.
constexpr auto nothing_lies_before_the_position_before_the_first_entry = [] {
    require(before(Index{0}) == Index{0}, "it is its own predecessor");
    require(before(Index{1}) == Index{0}, "and the one of the first entry");
    require(before(next(Index{7})) == Index{7}, "elsewhere each undoes the other");
};
TOTORA_PROVE(nothing_lies_before_the_position_before_the_first_entry, "5.3", "case_78");

constexpr auto a_run_ends_with_its_last_entry = [] {
    require(last_of(Run{Term{1}, Index{5}, 1}) == Index{5}, "one entry is first and last");
    require(last_of(Run{Term{1}, Index{5}, 3}) == Index{7}, "three entries from 5 on end with 7");
    require(last_of(Run{Term{1}, Index{5}, 0}) == Index{4}, "none end where they would begin");
    require(last_of(Run{}) == Index{0}, "also at the beginning of the log");
};
TOTORA_PROVE(a_run_ends_with_its_last_entry, "5.3", "case_78");

constexpr auto positions_are_ordered_by_term_before_index = [] {
    require(LogPosition{Term{2}, Index{9}} < LogPosition{Term{3}, Index{1}}, "a later term beats a longer log");
    require(LogPosition{Term{3}, Index{1}} < LogPosition{Term{3}, Index{2}}, "in one term the longer log does");
};
TOTORA_PROVE(positions_are_ordered_by_term_before_index, "5.4.1");

} // namespace
} // namespace totora::test::types_tests
