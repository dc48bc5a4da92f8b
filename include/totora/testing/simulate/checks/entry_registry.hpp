// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/testing/safety.hpp"
#include "totora/testing/simulate/faults/by_term.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace totora::inline v0::simulate
{

/// Every entry that any leader ever made, against which every entry that any log appends is checked: Log Matching
/// (Figure 3), bytes included, without comparing logs.
///
/// The entries of a term follow each other and are made by one server. If each entry of a log is the registered one,
/// and follows the registered one before it, then two logs that share an entry are the same up to it.
class EntryRegistry
{
public:
    /// A server appends an entry after `previous` into its log. The property that it violates, if any.
    [[nodiscard]] std::optional<std::string_view> add(ServerId server, LogPosition previous, EntryView const& entry)
    {
        if (entry.index != next(previous.index) or entry.term < previous.term)
            return "entries follow each other in index and in term";
        auto& term = terms_[entry.term];
        if (term.checksums.empty()) {
            term.maker = server;
            term.first = entry.index;
            term.previous = previous.term;
        }
        if (entry.index < term.first)
            return "an entry is before the first one of its term";
        auto const at = entry.index.value - term.first.value;
        if (at == term.checksums.size() and term.maker == server)
            term.checksums.push_back(entry.checksum);
        if (at >= term.checksums.size())
            return "an entry was made by no leader of its term";
        if (term.checksums[at] != entry.checksum)
            return "two entries of one index and one term differ";
        if (previous.term != (at == 0 ? term.previous : entry.term))
            return testing::figure_3::log_matching;
        return std::nullopt;
    }

    /// The checksum of an entry that was made; nothing if none was.
    [[nodiscard]] std::optional<std::uint32_t> checksum(LogPosition position) const
    {
        auto const* term = terms_.find(position.term);
        if (term == nullptr or position.index < term->first)
            return std::nullopt;
        auto const at = position.index.value - term->first.value;
        return at < term->checksums.size() ? std::optional{term->checksums[at]} : std::nullopt;
    }

    /// Whether a log that ends with `last` holds `entry`, by what was made.
    [[nodiscard]] bool is_before(LogPosition entry, LogPosition last) const
    {
        for (auto const* term = terms_.find(last.term); term != nullptr and last.term > entry.term;
             term = terms_.find(last.term))
            last = {term->previous, before(term->first)};
        return last.term == entry.term and last.index >= entry.index;
    }

    /// Whether a log holds `entry`, or begins after it, where it was compacted.
    [[nodiscard]] bool holds(TermRuns const& log, LogPosition entry) const
    {
        return entry.index >= log.base().index ? log.holds(entry) : is_before(entry, log.base());
    }

    /// How far a log that ends with `last` agrees with this one, which is whole.
    [[nodiscard]] LogPosition agreement(LogPosition last, TermRuns const& log) const
    {
        auto shared = log.find_conflict_by_term(last);
        while (not is_before(shared, last)) {
            auto const* term = terms_.find(last.term);
            last = last.term > shared.term ? LogPosition{term->previous, before(term->first)}
                                           : LogPosition{last.term, std::min(last.index, shared.index)};
            shared = log.find_conflict_by_term(last);
        }
        return shared;
    }

    /// Whether all entries of a log were made, and each is in its place; so is that which it begins after.
    [[nodiscard]] bool knows(TermRuns const& log) const
    {
        auto previous = log.base();
        if (previous != LogPosition{} and not checksum(previous))
            return false;
        for (auto first = next(previous.index); first <= log.last().index;) {
            auto const  run = log.run_from(first, log.last().index.value - first.value + 1);
            auto const* term = terms_.find(run.term);
            auto const  is_rest = previous == log.base() and run.term == previous.term; // Of a run that was compacted.
            if (term == nullptr or (not is_rest and (term->first != run.first or term->previous != previous.term)) or
                not checksum({run.term, last_of(run)}))
                return false;
            previous = {run.term, last_of(run)};
            first = next(previous.index);
        }
        return true;
    }

private:
    struct OfTerm
    {
        ServerId                   maker;
        Index                      first;
        Term                       previous; ///< Of the entry before the first.
        std::vector<std::uint32_t> checksums;
    };

    ByTerm<OfTerm> terms_;
};

} // namespace totora::inline v0::simulate
