// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/log_image.hpp"
#include "totora/log/segmented/segment_header.hpp"
#include "totora/log/segmented/segment_index.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/log/segmented/segment_survey.hpp"
#include "totora/log/segmented/start_mark.hpp"
#include "totora/log/snapshots/log_boundary.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// What a recovery reads of the sealed segments.
enum class RecoveryDepth : std::uint8_t
{
    indexes,    ///< Their headers and indexes; only those without an index are read. What was found is made durable.
    everything, ///< Every record, and nothing in the directory is changed.
};

/// A file with the name of a newer segment than the log has: made ready and never used, or begun just before a crash.
struct SpareFile
{
    std::uint64_t generation = 0;
    std::uint64_t size = 0;
};

/// A log as recovery found it. Only its index is in memory.
struct RecoveredLog
{
    Recovered                    state;
    EntryIndex                   index;
    StartMark                    mark;
    std::uint64_t                newest_start = 0;
    std::uint64_t                newest_batch = 0;      ///< The highest number of any batch, also of one that was cut.
    std::uint64_t                durable_batch = 0;     ///< The newest whole batch, durable once recovered.
    std::uint64_t                newest_generation = 0; ///< Of all files, also of those that are not part of the log.
    std::vector<SpareFile>       spares;                ///< The newest first.
    std::optional<std::uint64_t> awaited; ///< The spare in which the log continues, as the newest segment has it.
    std::vector<Index>           configurations; ///< The entries that are one, in order.
    std::vector<EarlierSegment>
                segments; ///< With the length of each that is part of the log; `last` only if it is compacted.
    LogBoundary boundary; ///< Where it begins.
    std::vector<std::string> snapshot_files; ///< The names of all files of snapshots, finished or not.
};

/// The log as a node begins with it; what is large is moved from what was recovered.
[[nodiscard]] inline LogImage image_of(RecoveredLog& recovered)
{
    auto const& state = recovered.state;
    auto        image = LogImage{state.identity,
                          std::max(recovered.mark.start, recovered.newest_start) + 1,
                          state.current_term,
                          state.voted_for,
                          state.entries,
                          std::move(recovered.index),
                          state.commit_index,
                          {},
                          std::move(recovered.configurations),
                          std::move(recovered.boundary),
                          {}};
    image.note_configurations({state.configuration, state.previous_configuration}, state.peers);
    image.note_configurations(image.boundary.configurations, image.boundary.peers);
    return image;
}

/// Rebuilds a log from its records, taken in order.
///
/// Invariant: `index`, `state.entries` and `configurations` describe the same entries.
class LogReplay : public RecoveredLog
{
public:
    LogReplay() = default;

    explicit LogReplay(Identity const& identity) { state.identity = identity; }

    /// A segment that existed, with this size, when the log continued in it.
    struct NextSegment
    {
        std::uint64_t generation = 0;
        std::uint64_t size = 0;
    };

    std::optional<NextSegment> next; ///< Where the log continues after the newest segment.

    std::optional<Index> unknown; ///< The first entry of a kind unknown to this version.

    /// Takes a record of the newest segment. False if no log could have written it here.
    [[nodiscard]] bool take_record(Record const& record, std::uint64_t generation)
    {
        auto const [first, second, third] = record.head.numbers;
        switch (record.head.kind) {
        case RecordKind::vote:
            state.current_term = Term{first};
            state.voted_for = second == 0 ? std::nullopt : std::optional{ServerId{second}};
            return true;
        case RecordKind::append:
            return Index{first} == totora::next(index.last()) and take_entries(record, generation, index.last());
        case RecordKind::truncate:
            if (not index.holds(Index{first}))
                return false;
            truncate(Index{first});
            return true;
        case RecordKind::seal:
            state.commit_index = std::max(state.commit_index, Index{third});
            return true;
        case RecordKind::next:
            next = NextSegment{first, second};
            return true;
        case RecordKind::compact:
            return compact(record);
        case RecordKind::install:
            begin_after(boundary_of(record).value_or(LogBoundary{}));
            return true;
        }
        return false;
    }

    /// The log begins and ends there.
    void begin_after(LogBoundary const& its_boundary)
    {
        boundary = its_boundary;
        index = EntryIndex{boundary.base.index};
        state.entries.restore(boundary.base);
        configurations.clear();
        unknown.reset();
    }

    /// Takes the entries of an append that lie above the base, in place of those that it replaced in its own segment.
    /// `last_before` is the last entry of the earlier segments. False, with nothing taken, for an append that follows
    /// entries which are missing: they were truncated, and the append with them.
    [[nodiscard]] bool take_entries(Record const& record, std::uint64_t generation, Index last_before)
    {
        auto const first = std::max(Index{record.head.numbers[0]}, totora::next(index.base()));
        if (first <= last_before or first > totora::next(index.last()))
            return false;
        truncate(first);
        auto offset = record.offset + record_head_size;
        auto rest = record.body;
        while (auto const entry = view_entry(rest)) {
            if (entry->index >= first and not take_entry(*entry, {generation, static_cast<std::uint32_t>(offset)}))
                return false;
            offset += entry->encoded.size();
            rest = rest.subspan(entry->encoded.size());
        }
        return true;
    }

    /// Takes the entries of a sealed segment above the base and up to `last` by its index, unread. False, with nothing taken,
    /// if they do not follow those that are there.
    [[nodiscard]] bool take_index(SegmentIndex const& taken, std::uint64_t generation, Index last)
    {
        auto const first = totora::next(index.last());
        auto const is_compacted = index.last() == index.base() and taken.first < first;
        if ((taken.first != first and not is_compacted) or taken.last() < last or last < first or
            term_in(taken, first) < state.entries.last().term)
            return false;
        auto size = taken.sizes.begin();
        auto at = taken.first;
        for (auto const& row : taken.rows) {
            auto offset = row.offset;
            for (auto left = row.count; left > 0; --left, offset += *size++, at = totora::next(at))
                if (at >= first)
                    index.append(*size, {generation, offset});
        }
        for (auto start = taken.terms.begin(); start != taken.terms.end(); ++start) {
            auto const after =
                std::next(start) == taken.terms.end() ? totora::next(taken.last()) : std::next(start)->first;
            auto const begins = std::max(start->first, first);
            if (begins < after)
                state.entries.append({start->term, begins, after.value - begins.value});
        }
        configurations.insert(configurations.end(),
                              std::lower_bound(taken.configurations.begin(), taken.configurations.end(), first),
                              taken.configurations.end());
        truncate(totora::next(last));
        return true;
    }

    void truncate(Index from)
    {
        index.truncate(from);
        state.entries.truncate(from);
        if (unknown and *unknown >= from)
            unknown.reset();
        while (not configurations.empty() and configurations.back() >= from)
            configurations.pop_back();
    }

    /// Fills in what is known only at the end: how the last start ended, and the two newest configurations, of which the
    /// log holds as many as `newest` has.
    void finish(std::vector<NamedConfiguration> const& newest)
    {
        state.cleanly_stopped = mark.clean and newest_start == mark.start;
        auto const first = first_configuration(state.identity);
        auto const is_whole = boundary.base.index == Index{};
        auto       known = is_whole ? Configurations{first, first} : boundary.configurations;
        state.peers = is_whole ? KnownPeers{first_peers(state.identity), first_peers(state.identity)} : boundary.peers;
        for (auto const& [configuration, peers] : newest) {
            known.append(configuration);
            state.peers.append(peers);
        }
        state.configuration = known.in_force;
        state.previous_configuration = known.previous;
    }

private:
    /// False, with nothing changed, if the log does not hold what it is to begin after.
    [[nodiscard]] bool compact(Record const& record)
    {
        auto const base = base_of(record.head);
        if (base.index < index.base() or state.entries.term_at(base.index) != base.term)
            return false;
        boundary = boundary_of(record).value_or(LogBoundary{});
        index.compact(base.index);
        state.entries.compact(base);
        configurations.erase(configurations.begin(),
                             std::upper_bound(configurations.begin(), configurations.end(), base.index));
        return true;
    }

    /// False, with nothing taken, if its term is older than that of the entry before.
    [[nodiscard]] bool take_entry(EntryView const& entry, EntryPlace place)
    {
        if (entry.term < state.entries.last().term)
            return false;
        index.append(entry.encoded.size(), place);
        state.entries.append({entry.term, entry.index, 1});
        if (not is_known(entry) or (entry.kind == EntryKind::configuration and not take_configuration(entry)))
            unknown = unknown.value_or(entry.index);
        return true;
    }

    /// The term of an entry that an index has.
    [[nodiscard]] static Term term_in(SegmentIndex const& taken, Index entry)
    {
        auto term = taken.terms.front().term;
        for (auto const& start : taken.terms)
            if (start.first <= entry)
                term = start.term;
        return term;
    }

    [[nodiscard]] bool take_configuration(EntryView const& entry)
    {
        configurations.push_back(entry.index);
        return decode_configuration(entry).has_value();
    }
};

} // namespace totora::inline v0
