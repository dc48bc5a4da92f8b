// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

namespace totora::inline v0::conformance
{

/// What a log holds: the state of Figure 2, each entry after its base by its term, its kind and the size of its payload.
struct Content
{
    struct Entry
    {
        std::uint64_t term = 0;
        std::size_t   payload_size = 0;
        bool          is_configuration = false; ///< That of `sample_configuration`, or else a command.

        friend bool operator==(Entry const&, Entry const&) = default;
    };

    Term                    term;
    std::optional<ServerId> vote;
    std::vector<Entry>      entries;    ///< From index 1 on; up to `base` they are empty.
    LogPosition             base{};     ///< Where the log begins.
    Configurations          boundary{}; ///< In force at a base above 0, and before. Nothing that a log shows by itself.

    friend bool operator==(Content const& one, Content const& other)
    {
        return one.term == other.term and one.vote == other.vote and one.base == other.base and
               one.entries == other.entries;
    }
};

/// The payload of the entry at an index.
[[nodiscard]] inline std::vector<std::byte> payload_of(Index index, Content::Entry const& entry)
{
    if (not entry.is_configuration)
        return payload_for(index, Term{entry.term}, entry.payload_size);
    auto const configuration = sample_configuration(Term{entry.term}, index);
    auto const payload = (*configuration.begin()).payload;
    return {payload.begin(), payload.end()};
}

/// The configuration in force at an index of a log with this content, and the one before, if `first` is that of index 0.
[[nodiscard]] inline Configurations configurations_at(Content const& content, Index up_to, Configuration const& first)
{
    auto newest = content.base.index == Index{} ? Configurations{first, first} : content.boundary;
    for (auto index = next(content.base.index); index <= up_to; index = next(index)) {
        auto const& entry = content.entries[static_cast<std::size_t>(index.value - 1)];
        if (entry.is_configuration)
            newest.append(*decode_configuration(*sample_configuration(Term{entry.term}, index).begin()));
    }
    return newest;
}

/// The entries of a range, as long as they are entries at all: a wrong log may return any bytes.
[[nodiscard]] inline std::vector<EntryView> whole_entries(Entries const& entries)
{
    auto whole = std::vector<EntryView>{};
    for (auto const& slice : entries.slices()) {
        auto rest = slice.bytes;
        while (auto const entry = view_entry(rest)) {
            rest = rest.subspan(entry->encoded.size());
            whole.push_back(*entry);
        }
        if (not rest.empty())
            break;
    }
    return whole;
}

/// Reads entries of a log, which may have to fetch them first: waits for that, 20 s at most.
template <durable_log Log>
[[nodiscard]] Result<Entries, LogError> read_patiently(Log& log, Index from, Index up_to, std::uint64_t bytes_max)
{
    auto entries = log.read(from, up_to, bytes_max);
    for (auto waited = 0; waited < 20'000 and not entries and entries.error().failure == LogFailure::not_now;
         ++waited) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
        entries = log.read(from, up_to, bytes_max);
    }
    return entries;
}

/// The content of an open log, read entry by entry; nothing if it does not agree with what it reported as recovered, or
/// an entry is not the one that `entries_of` or `sample_configuration` makes.
template <durable_log Log>
[[nodiscard]] std::optional<Content> content_of(Log& log, Recovered const& recovered)
{
    auto       content = Content{recovered.current_term, recovered.voted_for, {}};
    auto const last = recovered.entries.last();
    content.base = recovered.entries.base();
    if (log.last() != last)
        return std::nullopt;
    content.entries.resize(static_cast<std::size_t>(content.base.index.value));
    auto index = next(content.base.index);
    while (index <= last.index) {
        auto const entries = read_patiently(log, index, last.index, 3000);
        auto const whole = entries ? whole_entries(*entries) : std::vector<EntryView>{};
        if (whole.empty() or whole.size() != entries->count())
            return std::nullopt;
        for (auto const& entry : whole) {
            auto const is_configuration = entry.kind == EntryKind::configuration;
            content.entries.push_back({entry.term.value, entry.payload.size(), is_configuration});
            auto const expected = payload_of(index, content.entries.back());
            if (entry.index != index or not is_intact(entry) or recovered.entries.term_at(index) != entry.term or
                not std::equal(expected.begin(), expected.end(), entry.payload.begin(), entry.payload.end()))
                return std::nullopt;
            index = next(index);
        }
    }
    return content;
}

} // namespace totora::inline v0::conformance
