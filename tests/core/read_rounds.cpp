// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/read_rounds.hpp"

#include "support/prove.hpp"

// The read rounds alone: when one begins, and which are confirmed. What is sent for them is in cases/reads.cpp.

namespace totora::test::read_rounds_tests
{
namespace
{

constexpr auto as_many_rounds_as_may_be_in_flight = [] {
    auto reads = ReadRounds{};
    while (reads.may_begin() and reads.newest < Round{rounds_max + 1})
        reads.begin();
    return reads;
};

constexpr auto few_rounds_are_on_their_way_at_a_time = [] {
    auto reads = as_many_rounds_as_may_be_in_flight();
    require(reads.newest == Round{rounds_max} and not reads.may_begin(), "no more than these");
    require(reads.confirm(Round{1}) and reads.may_begin(), "until one is confirmed");
};
TOTORA_PROVE(few_rounds_are_on_their_way_at_a_time, "8", "case_91");

/// It would be served by a majority that answered before it was asked for.
constexpr auto a_read_that_waits_joins_no_round_that_has_begun = [] {
    auto       reads = as_many_rounds_as_may_be_in_flight();
    auto const round = reads.wait();
    require(round > reads.newest and reads.wait() == round, "all that wait share the next one");
    require(reads.confirm(Round{1}) and reads.waiting, "whose reads wait until it begins");
    reads.begin();
    require(reads.newest == round and not reads.waiting, "as this one");
};
TOTORA_PROVE(a_read_that_waits_joins_no_round_that_has_begun, "8", "case_47");

constexpr auto a_round_is_confirmed_once_and_with_all_earlier_ones = [] {
    auto reads = as_many_rounds_as_may_be_in_flight();
    require(not reads.are_all_confirmed() and not reads.confirm(Round{}), "nothing was answered");
    require(reads.confirm(Round{2}) and reads.confirmed == Round{2} and reads.are_all_confirmed(), "the first two");
    require(not reads.confirm(Round{2}) and not reads.confirm(Round{1}), "an answer more changes nothing");
};
TOTORA_PROVE(a_round_is_confirmed_once_and_with_all_earlier_ones, "8");

constexpr auto each_broken_invariant_of_the_rounds_is_named = [] {
    auto const full = as_many_rounds_as_may_be_in_flight();
    auto const found = [&](auto plant) {
        auto reads = full;
        plant(reads);
        return find_broken_invariant(reads);
    };
    require(not find_broken_invariant(full), "it is sane");
    require(found([](ReadRounds& reads) { reads.confirmed = Round{rounds_max + 1}; }) == "a confirmed round has begun",
            "one that has not");
    require(found([](ReadRounds& reads) { reads.begin(); }) == "at most two read rounds are on their way", "one more");
    require(found([](ReadRounds& reads) {
                reads.confirm(Round{1});
                reads.waiting = true;
            }) == "reads wait only while no round can begin",
            "a read that waits for nothing");
};
TOTORA_PROVE(each_broken_invariant_of_the_rounds_is_named, "8");

} // namespace
} // namespace totora::test::read_rounds_tests
