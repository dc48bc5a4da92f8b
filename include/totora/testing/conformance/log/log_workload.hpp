// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/conformance/lent_entries.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/workload_snapshots.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/prng.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// How a workload spends its steps, in percent; what is left is appends.
struct WorkloadMix
{
    std::uint64_t sync = 30;
    std::uint64_t vote = 8;
    std::uint64_t truncate = 7;
    std::uint64_t commit = 5;
    std::uint64_t configuration = 0;
    std::uint64_t snapshots = 0;      ///< Taken, received, installed, removed, and compactions by them.
    std::uint64_t truncated_max = 40; ///< Entries that one truncation removes.
    std::uint64_t appended_max = 5;   ///< Entries of one append.
};

/// Writes to a log at random, always the same for a seed, and records the content after each write: the model with
/// which a recovery is compared.
class Workload : public WorkloadSnapshots
{
public:
    explicit Workload(std::uint64_t seed, WorkloadMix const& mood = {})
        : WorkloadSnapshots(seed), looks_(seed ^ 0x6c6f6f6bU), mood_(mood)
    {}

    /// What a log keeps of appended entries without a pin is overwritten from now on.
    void lend_by(Lender const& lender) { lender_ = lender; }

    /// Makes a random write, or syncs.
    template <durable_log Log>
    void step(Log& log, std::size_t payload_max = 200)
    {
        auto const chance = random_.below(100);
        auto const uncommitted = current_.entries.size() - std::max(commit_, current_.base.index.value);
        auto       below = mood_.sync;
        if (chance < below)
            log.sync();
        else if (chance < (below += mood_.vote))
            vote(log);
        else if (chance < (below += mood_.truncate) and uncommitted > 0)
            truncate(log, current_.entries.size() -
                              random_.below(std::min<std::uint64_t>(uncommitted, mood_.truncated_max)));
        else if (chance < mood_.sync + mood_.vote + mood_.truncate + mood_.commit)
            commit(log);
        else if (chance < mood_.sync + mood_.vote + mood_.truncate + mood_.commit + mood_.configuration)
            configure(log);
        else if (chance <
                 mood_.sync + mood_.vote + mood_.truncate + mood_.commit + mood_.configuration + mood_.snapshots)
            change_snapshots(log);
        else {
            // One after the other: compilers differ in the order of a call's arguments.
            auto const per_slice = 1 + random_.below(3);
            auto const count = 1 + random_.below(mood_.appended_max);
            append(log, count, per_slice, payload_max);
        }
        note(log);
    }

    /// Records what the log reports durable.
    template <durable_log Log>
    void note(Log& log)
    {
        durable_ = std::max(durable_, std::min(writes(), log.durable().through().value));
        if constexpr (snapshot_log<Log>)
            snapshots().note_ends(log);
    }

    template <durable_log Log>
    void vote(Log& log)
    {
        current_.term = Term{current_.term.value + 1};
        current_.vote = random_.below(2) == 0 ? std::optional<ServerId>{} : ServerId{1 + random_.below(3)};
        log.save_vote(begin_write(), current_.term, current_.vote);
    }

    template <durable_log Log>
    void truncate(Log& log, std::uint64_t from)
    {
        current_.entries.resize(from - 1);
        log.truncate(begin_write(), Index{from});
    }

    /// Never above what is durable, as a node does it; truncations stay above it.
    template <durable_log Log>
    void commit(Log& log)
    {
        commit_ += random_.below(durable_entries() - commit_ + 1);
        saved_ = commit_;
        log.save_commit(Index{commit_});
    }

    /// Reads any range of what was written, durable or not. Empty if it is all there.
    template <durable_log Log>
    [[nodiscard]] std::string look(Log& log)
    {
        auto const count = current_.entries.size();
        auto const position =
            count == 0 ? LogPosition{} : LogPosition{Term{current_.entries.back().term}, Index{count}};
        if (log.last() != position)
            return "last() gives index " + std::to_string(log.last().index.value) + " in term " +
                   std::to_string(log.last().term.value) + ", and the last entry is " + std::to_string(count) + ".";
        // One after the other: compilers differ in the order of a call's arguments.
        auto const from = 1 + looks_.below(count + 2);
        auto const up_to = from + looks_.below(count + 3);
        auto const limit = looks_.below(2000);
        return look(log, Index{from}, Index{up_to}, limit);
    }

    template <durable_log Log>
    void append(Log& log, std::uint64_t count, std::uint64_t per_slice, std::size_t payload_max)
    {
        auto const payload_size = random_.below(payload_max + 1);
        auto const term = next_term();
        auto const first = Index{current_.entries.size() + 1};
        current_.entries.resize(current_.entries.size() + count, {term.value, payload_size});
        auto const entries = entries_of(term, first, count, payload_size, per_slice);
        log.append(begin_write(), lender_ ? lender_->lend(entries) : entries);
    }

    /// Appends a configuration.
    template <durable_log Log>
    void configure(Log& log)
    {
        auto const entries = sample_configuration(next_term(), Index{current_.entries.size() + 1});
        current_.entries.push_back({next_term().value, (*entries.begin()).payload.size(), true});
        log.append(begin_write(), lender_ ? lender_->lend(entries) : entries);
    }

    [[nodiscard]] testing::SplitMix& random() { return random_; }

private:
    template <durable_log Log>
    [[nodiscard]] std::string look(Log& log, Index from, Index up_to, std::uint64_t limit) const
    {
        auto       wanted = std::vector<std::size_t>{};
        auto       bytes = std::uint64_t{0};
        auto const last = std::min<std::uint64_t>(up_to.value, current_.entries.size());
        for (auto index = from.value; index <= last; ++index) {
            auto const size = entry_header_size + current_.entries[index - 1].payload_size;
            bytes += size;
            if (wanted.empty() or bytes <= limit)
                wanted.push_back(index);
        }
        auto const range = "the entries " + std::to_string(from.value) + " to " + std::to_string(up_to.value);
        if (log.bytes(from, Index{last}) != bytes)
            return "bytes() of " + range + " is " + std::to_string(log.bytes(from, Index{last})) + " instead of " +
                   std::to_string(bytes) + ".";
        auto const cold = if_offered(
            log, [&](auto& one) -> decltype(one.cold_bytes(from, up_to)) { return one.cold_bytes(from, Index{last}); },
            [] { return std::uint64_t{0}; });
        if (cold > bytes)
            return "cold_bytes() of " + range + " is more than bytes().";
        auto const entries = read_patiently(log, from, up_to, limit);
        if (not entries)
            return entries.error().failure == LogFailure::not_now
                       ? std::string{}
                       : "read() of " + range + " failed: " + entries.error().what;
        auto index = from;
        for (auto const& entry : whole_entries(*entries)) {
            auto const& expected = index.value <= last ? current_.entries[index.value - 1] : Content::Entry{};
            auto const  payload = payload_of(index, expected);
            if (entry.index != index or entry.term.value != expected.term or not is_intact(entry) or
                not std::equal(payload.begin(), payload.end(), entry.payload.begin(), entry.payload.end()))
                return "read() of " + range + " gave another entry in the place of " + std::to_string(index.value) +
                       ".";
            index = next(index);
        }
        auto const is_fetched_later = cold > 0 and index > from and index.value - from.value < wanted.size();
        if ((index.value - from.value != wanted.size() and not is_fetched_later) or
            entries->count() != index.value - from.value)
            return "read() of " + range + ", " + std::to_string(limit) + " bytes at most, gave " +
                   std::to_string(entries->count()) + " entries instead of " + std::to_string(wanted.size()) + ".";
        return {};
    }

    testing::SplitMix     looks_; ///< Its own, so that looking changes nothing.
    WorkloadMix           mood_;
    std::optional<Lender> lender_;
};

} // namespace totora::inline v0::conformance
