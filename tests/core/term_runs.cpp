// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/term_runs.hpp"

#include "support/prove.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

// The runs of terms against the plainest log there is: a list of terms. Every small log, every question.

namespace totora::test::term_runs_tests
{
namespace
{

/// A log as Figure 2 draws it: `terms[0]` is the term of the entry at `base.index + 1`.
struct ListOfTerms
{
    LogPosition                base;
    std::vector<std::uint64_t> terms;

    [[nodiscard]] constexpr Index last_index() const { return base.index + terms.size(); }

    [[nodiscard]] constexpr std::optional<Term> term_at(Index index) const
    {
        if (index < base.index or index > last_index())
            return std::nullopt;
        return index == base.index ? base.term
                                   : Term{terms[static_cast<std::size_t>((index.value - base.index.value) - 1)]};
    }

    /// What comes before the first entry is held by every log, whatever is compacted.
    [[nodiscard]] constexpr bool holds(LogPosition position) const
    {
        return position == LogPosition{} or term_at(position.index) == position.term;
    }

    [[nodiscard]] constexpr LogPosition find_conflict_by_term(LogPosition limit) const
    {
        for (auto index = std::min(limit.index, last_index()); index > base.index; index = before(index))
            if (term_at(index) <= limit.term)
                return {*term_at(index), index};
        return base;
    }

    [[nodiscard]] constexpr Run run_from(Index first, std::uint64_t count_max) const
    {
        auto run = Run{term_at(last_index()).value_or(Term{}), first, 0};
        if (first <= base.index or first > last_index())
            return run;
        run.term = *term_at(first);
        while (run.count < count_max and term_at(first + run.count) == run.term)
            ++run.count;
        return run;
    }

    [[nodiscard]] constexpr Run missing_from(Run run) const
    {
        while (run.count > 0 and (run.first <= base.index or term_at(run.first) == run.term))
            run = {run.term, next(run.first), run.count - 1};
        return run;
    }
};

/// Every log of at most `length` entries of terms 1 to 3, in both forms, after a base.
template <typename Visit>
constexpr void for_each_log(LogPosition base, std::size_t length, Visit visit)
{
    auto list = ListOfTerms{base, {}};
    for (;;) {
        auto runs = TermRuns{base};
        for (auto const term : list.terms)
            runs.append({Term{term}, next(runs.last().index), 1});
        visit(list, runs);
        // The next list, in order of length and then of the digits; terms never fall.
        auto at = list.terms.size();
        while (at > 0 and list.terms[at - 1] == 3)
            --at;
        if (at == 0) {
            if (list.terms.size() == length)
                return;
            list.terms.assign(list.terms.size() + 1, std::max<std::uint64_t>(base.term.value, 1));
        } else {
            auto const term = list.terms[at - 1] + 1;
            std::fill(list.terms.begin() + static_cast<std::ptrdiff_t>(at - 1), list.terms.end(), term);
        }
    }
}

constexpr void answers_agree(ListOfTerms const& list, TermRuns const& runs)
{
    require(runs.base() == list.base, "the base");
    require(runs.last() == LogPosition{*list.term_at(list.last_index()), list.last_index()}, "the last entry");
    auto const beyond = list.last_index().value + 3;
    for (auto index = Index{}; index.value <= beyond; index = next(index)) {
        require(runs.term_at(index) == list.term_at(index), "the term of each index");
        for (auto term = std::uint64_t{0}; term <= 4; ++term) {
            auto const position = LogPosition{Term{term}, index};
            require(runs.holds(position) == list.holds(position), "whether a position is held");
            require(runs.find_conflict_by_term(position) == list.find_conflict_by_term(position),
                    "the last that may be shared");
        }
        for (auto count = std::uint64_t{0}; count <= 5; ++count) {
            require(runs.run_from(index, count) == list.run_from(index, count), "the run from an index");
            for (auto term = std::uint64_t{1};
                 term <= 4 and index > list.base.index and index <= next(list.last_index()); ++term) {
                auto const run = Run{Term{term}, index, count};
                require(runs.missing_from(run) == list.missing_from(run), "what is missing of a run");
            }
        }
    }
}

/// Cut anywhere, and grown by anything: still the same as the list.
constexpr void changes_agree(ListOfTerms const& list, TermRuns const& runs)
{
    for (auto keep = std::size_t{0}; keep <= list.terms.size(); ++keep) {
        auto shorter = list;
        shorter.terms.resize(keep);
        auto cut = runs;
        cut.truncate(next(shorter.last_index()));
        auto built = TermRuns{list.base};
        for (auto const term : shorter.terms)
            built.append({Term{term}, next(built.last().index), 1});
        require(cut == built, "a cut log is the log that never grew");

        auto const term = Term{std::max(cut.last().term.value, std::uint64_t{1})};
        cut.append({term, next(cut.last().index), 0});
        require(cut == built, "no entries change nothing");
        for (auto const grown_by : {term, Term{term.value + 1}}) {
            auto grown = cut;
            grown.append({grown_by, next(grown.last().index), 2});
            auto longer = shorter;
            longer.terms.push_back(grown_by.value);
            longer.terms.push_back(grown_by.value);
            require(grown.last() == LogPosition{grown_by, longer.last_index()},
                    "a grown log ends with what it grew by");
            require(grown.term_at(before(longer.last_index())) == longer.term_at(before(longer.last_index())),
                    "all of it");
        }
    }
}

constexpr auto runs_of_terms_answer_like_a_list_of_terms = [] {
    for (auto const& base : {LogPosition{}, LogPosition{Term{1}, Index{4}}, LogPosition{Term{2}, Index{1}}})
        for_each_log(base, 3, answers_agree);
};
TOTORA_PROVE(runs_of_terms_answer_like_a_list_of_terms, "5.3", "5.4.1");

constexpr auto runs_of_terms_change_like_a_list_of_terms = [] {
    for (auto const& base : {LogPosition{}, LogPosition{Term{1}, Index{4}}})
        for_each_log(base, 4, changes_agree);
};
TOTORA_PROVE(runs_of_terms_change_like_a_list_of_terms, "5.3");

/// Longer logs, at run time.
BOOST_AUTO_TEST_CASE(runs_of_terms_answer_like_a_list_of_terms_in_longer_logs, TOTORA_LABELS("5.3", "5.4.1"))
{
    auto logs = 0;
    for_each_log({}, 9, [&](ListOfTerms const& list, TermRuns const& runs) {
        answers_agree(list, runs);
        changes_agree(list, runs);
        ++logs;
    });
    BOOST_TEST(logs == 220); // The sum over the lengths n of the multisets of n terms out of three: (n + 1)(n + 2) / 2.
}

/// The search begins at the newest terms and goes on by halving: both must find the same.
constexpr auto a_log_of_many_terms_is_searched_rightly_everywhere = [] {
    auto runs = TermRuns{};
    for (auto term = std::uint64_t{1}; term <= 40; ++term)
        runs.append({Term{term}, next(runs.last().index), 1 + term % 3});
    auto index = Index{1};
    for (auto term = std::uint64_t{1}; term <= 40; ++term)
        for (auto count = 1 + term % 3; count > 0; --count, index = next(index)) {
            require(runs.term_at(index) == Term{term}, "the term of each index");
            require(runs.run_from(index, 99) == Run{Term{term}, index, count}, "and the rest of its run");
            require(runs.find_conflict_by_term({Term{term}, Index{900}}).term == Term{term},
                    "each term ends where it ends");
        }
    require(runs.starts().size() == 40, "a run for each term");
};
TOTORA_PROVE(a_log_of_many_terms_is_searched_rightly_everywhere, "5.3", "case_85");

constexpr auto a_run_of_any_length_costs_one_entry = [] {
    auto runs = TermRuns{};
    runs.append({Term{1}, Index{1}, number_max - 1});
    runs.append({Term{1}, Index{number_max}, 1});
    require(runs.starts().size() == 1 and runs.last() == LogPosition{Term{1}, Index{number_max}}, "one run");
    runs.truncate(Index{2});
    require(runs.last() == LogPosition{Term{1}, Index{1}}, "cut to one entry");
    runs.truncate(Index{1});
    require(runs == TermRuns{}, "and to none");
};
TOTORA_PROVE(a_run_of_any_length_costs_one_entry, "5.3", "case_78");

} // namespace
} // namespace totora::test::term_runs_tests
