// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/snapshot_history.hpp"
#include "totora/testing/conformance/log/workload_model.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/prng.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace totora::inline v0::conformance
{

/// What a workload does with snapshots, as a node does it: compactions follow a durable snapshot, an install what was received whole, and what
/// is still needed is not removed.
class WorkloadSnapshots : public WorkloadModel
{
public:
    explicit WorkloadSnapshots(std::uint64_t seed) : random_(seed) {}

    /// Goes up with everything that the log has promised since its start.
    [[nodiscard]] std::uint64_t promised() const { return durable_ | snapshots_.promises() << 20U; }

    /// Takes, receives, installs or removes a snapshot, or compacts the log by one.
    template <durable_log Log>
    void change_snapshots(Log& log)
    {
        if constexpr (snapshot_log<Log>) {
            auto const chance = random_.below(10);
            if (chance < 3)
                take_snapshot(log);
            else if (chance < 6)
                compact(log);
            else if (chance < 8)
                receive_snapshot(log);
            else if (chance < 9)
                install(log);
            else
                remove_snapshot(log);
        }
    }

    [[nodiscard]] SnapshotHistory&       snapshots() { return snapshots_; }
    [[nodiscard]] SnapshotHistory const& snapshots() const { return snapshots_; }
    [[nodiscard]] std::uint64_t          compactions() const { return compactions_; }
    [[nodiscard]] std::uint64_t          installs() const { return installs_; }

protected:
    testing::SplitMix random_;

private:
    /// The newest snapshot of the server's own that was reported; null if there is none.
    [[nodiscard]] WrittenSnapshot const* newest_own() const
    {
        WrittenSnapshot const* newest = nullptr;
        for (auto const& one : snapshots_.all())
            if (one.is_reported and not one.is_removed and is_own(one) and
                (newest == nullptr or newest->id.last.index < one.id.last.index))
                newest = &one;
        return newest;
    }

    /// Taken, or installed durably.
    [[nodiscard]] bool is_own(WrittenSnapshot const& one) const
    {
        return not one.is_received or one.id.last.index <= history_[durable_].base.index;
    }

    /// Of what is committed.
    template <typename Log>
    void take_snapshot(Log& log)
    {
        auto const size = random_.below(600);
        if (commit_ <= current_.base.index.value)
            return;
        auto const last = LogPosition{Term{current_.entries[commit_ - 1].term}, Index{commit_}};
        auto const sample = written_snapshot(last, known_at(last.index), false, size);
        snapshots_.add(sample);
        auto const half = sample.bytes->size() / 2;
        log.begin_snapshot();
        log.write_snapshot(std::span{*sample.bytes}.first(half));
        log.write_snapshot(std::span{*sample.bytes}.subspan(half));
        log.finish_snapshot(sample.id);
    }

    /// Up to any committed entry that a durable snapshot stands for.
    template <typename Log>
    void compact(Log& log)
    {
        auto const* const newest = newest_own();
        auto const        draw = random_.below(1000);
        auto const        limit = newest == nullptr ? 0 : std::min(newest->id.last.index.value, commit_);
        auto const        base = current_.base.index.value;
        if (limit <= base)
            return;
        auto const index = base + 1 + draw % (limit - base);
        auto const configurations = known_at(Index{index});
        auto const position = LogPosition{Term{current_.entries[index - 1].term}, Index{index}};
        std::fill_n(current_.entries.begin(), index, Content::Entry{});
        current_.base = position;
        current_.boundary = configurations;
        ++compactions_;
        log.compact(begin_write(), position, configurations, sample_peers(configurations));
    }

    /// One that is beyond what is committed here. Of some the second half never comes.
    template <typename Log>
    void receive_snapshot(Log& log)
    {
        auto const size = random_.below(600);
        auto const beyond = std::max(commit_, current_.base.index.value) + 1 + random_.below(20);
        auto const last = LogPosition{Term{next_term().value + 1}, Index{beyond}};
        auto const first = first_configuration(identity_of_first());
        auto const sample = written_snapshot(last, {first, first}, true, size);
        snapshots_.add(sample);
        auto const half = sample.bytes->size() / 2;
        log.store_chunk(sample.id, 0, std::span{*sample.bytes}.first(half));
        if (size % 3 == 0)
            return;
        log.store_chunk(sample.id, half, std::span{*sample.bytes}.subspan(half));
        log.finish_chunks(sample.id);
    }

    /// One that was received, if there is one beyond what is committed here. The log knows that before, as it does from a node: of what it
    /// replaces no more is known to be durable.
    template <typename Log>
    void install(Log& log)
    {
        for (auto const& one : snapshots_.all()) {
            if (not one.is_received or not one.is_reported or one.is_removed or
                one.id.last.index.value <= std::max(commit_, current_.base.index.value))
                continue;
            saved_ = commit_;
            log.save_commit(Index{commit_});
            current_.entries.assign(static_cast<std::size_t>(one.id.last.index.value), Content::Entry{});
            current_.base = one.id.last;
            current_.boundary = one.configurations;
            ++installs_;
            return log.install(begin_write(), one.id, one.configurations, sample_peers(one.configurations));
        }
    }

    /// One of its own that a later one makes needless, or one that was received and is not needed.
    template <typename Log>
    void remove_snapshot(Log& log)
    {
        auto const* const newest = newest_own();
        for (auto const& one : snapshots_.all()) {
            auto const is_older = newest != nullptr and one.id.last.index < newest->id.last.index;
            auto const is_installed = one.id.last.index <= current_.base.index;
            if (one.is_removed or not one.is_reported or (is_own(one) ? not is_older : is_installed))
                continue;
            auto const id = one.id;
            snapshots_.note_removal(id);
            return log.remove_snapshot(id);
        }
    }

    [[nodiscard]] Configurations known_at(Index index) const
    {
        return configurations_at(current_, index, first_configuration(identity_of_first()));
    }

    SnapshotHistory snapshots_;
    std::uint64_t   compactions_ = 0;
    std::uint64_t   installs_ = 0;
};

} // namespace totora::inline v0::conformance
