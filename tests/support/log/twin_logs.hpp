// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "support/snapshot/snapshot_bytes.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/testing/prng.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace totora::test
{

/// The same calls of a log in segments and of a log in memory, which must hold the same at any time, and after a loss of power.
class TwinLogs
{
public:
    explicit TwinLogs(std::uint64_t seed) : random(seed)
    {
        memory.hold_syncs();
        open();
    }

    Disk                   disk = disk_with_log();
    std::optional<TestLog> log;
    MemoryLog              memory{identity_of_first()};
    testing::SplitMix      random;
    std::uint64_t          compactions = 0;
    std::uint64_t          installs = 0;

    void append(std::uint64_t count, std::size_t payload)
    {
        auto const entries = entries_of(term_, next(log->last().index), count, payload, 1 + random.below(3));
        write([&](auto& one, WriteNumber number) { one.append(number, entries); });
    }

    void configure()
    {
        auto const index = next(log->last().index);
        auto const entries = configuration_entry(term_, index, {1, 2, 3 + index.value % 7});
        configurations_.push_back(*decode_configuration(*entries.begin()));
        write([&](auto& one, WriteNumber number) { one.append(number, entries); });
    }

    void vote()
    {
        term_ = Term{term_.value + 1};
        write([&](auto& one, WriteNumber number) { one.save_vote(number, term_, ServerId{1 + term_.value % 3}); });
    }

    void truncate()
    {
        auto const last = log->last().index;
        if (last == committed_)
            return;
        auto const from = next(committed_) + random.below(last.value - committed_.value);
        std::erase_if(configurations_, [&](Configuration const& one) { return one.index >= from; });
        write([&](auto& one, WriteNumber number) { one.truncate(number, from); });
    }

    /// Of what is committed, any part.
    void compact()
    {
        if (committed_ <= base_)
            return;
        auto const wanted = next(base_) + random.below(committed_.value - base_.value);
        auto const known = configurations_at(wanted);
        auto const term = term_at(wanted);
        if (not known)
            return;
        ++compactions;
        base_ = wanted;
        write([&](auto& one, WriteNumber number) { one.compact(number, {term, wanted}, *known, peers_in(*known)); });
    }

    /// A snapshot of its own, of what is committed.
    void take_snapshot()
    {
        if (committed_ <= base_ or not configurations_at(committed_))
            return;
        auto const snapshot = snapshot_around({1,
                                               {term_at(committed_), committed_},
                                               *configurations_at(committed_),
                                               peers_in(*configurations_at(committed_))},
                                              {});
        for_both([&](auto& one) {
            one.begin_snapshot();
            one.write_snapshot(snapshot.bytes);
            one.finish_snapshot(snapshot.id);
            expect_end(one);
        });
    }

    /// One of another server, beyond what is committed here; it is installed now and then.
    void receive_snapshot()
    {
        auto const last = LogPosition{Term{term_.value + 1}, committed_ + (1 + random.below(30))};
        auto const known = Configurations{configurations_.back(), configurations_.front()};
        auto const snapshot = snapshot_around({1, last, known, peers_in(known)}, {});
        auto const half = snapshot.bytes.size() / 2;
        if (configurations_.back().index > last.index)
            return;
        for_both([&](auto& one) {
            one.store_chunk(snapshot.id, 0, std::span{snapshot.bytes}.first(half));
            one.store_chunk(snapshot.id, half, std::span{snapshot.bytes}.subspan(half));
            one.finish_chunks(snapshot.id);
            expect_end(one);
        });
        vote();
        if (random.below(3) == 0)
            return;
        ++installs;
        base_ = committed_ = last.index;
        write([&](auto& one, WriteNumber number) { one.install(number, snapshot.id, known, peers_in(known)); });
    }

    void sync()
    {
        log->sync();
        memory.sync();
        memory.complete_through(log->durable().through());
        committed_ = committed_ + random.below(log->last().index.value - committed_.value + 1);
    }

    void step()
    {
        auto const chance = random.below(100);
        if (chance < 25)
            sync();
        else if (chance < 33)
            vote();
        else if (chance < 40)
            truncate();
        else if (chance < 46)
            compact();
        else if (chance < 51)
            configure();
        else if (chance < 53)
            take_snapshot();
        else if (chance < 55)
            receive_snapshot();
        else
            append(1 + random.below(5), random.below(200));
    }

    /// Cuts the power, and starts again with nothing that was not synced.
    void restart()
    {
        log.reset();
        disk->lose_power({.keeps = [](auto, auto) { return false; }, .names_kept = random.below(4)});
        memory.crash();
        open();
    }

    /// What differs between the two, if anything does.
    [[nodiscard]] std::string difference()
    {
        if (log->failure())
            return "it failed: " + log->failure()->what;
        if (log->last() != memory.last())
            return "another last entry";
        if (stored(*log) != stored(memory))
            return "other snapshots";
        for (auto looks = 0; looks < 3; ++looks) {
            auto const last = log->last().index.value + 2;
            auto const from = Index{1 + random.below(last)};
            auto const up_to = Index{1 + random.below(last)};
            auto const limit = random.below(3000);
            if (log->bytes(from, up_to) != memory.bytes(from, up_to))
                return "other bytes";
            auto const one = log->read(from, up_to, limit);
            if (not one or encoded(*one) != encoded(*memory.read(from, up_to, limit)))
                return "other entries from " + std::to_string(from.value) + " on";
        }
        return {};
    }

private:
    template <typename Act>
    void for_both(Act act)
    {
        act(memory);
        act(*log);
    }

    template <typename Log>
    static void expect_end(Log& one)
    {
        auto const end = one.snapshot_end();
        if (not end or end->failure)
            throw std::runtime_error("no snapshot: " + (end ? end->failure->what : "it has not ended"));
    }

    /// Those that count: one that was received and has been passed by the base is of no use.
    template <typename Log>
    [[nodiscard]] std::vector<StoredSnapshot> stored(Log const& one) const
    {
        auto all = one.snapshots();
        for (auto& each : all)
            each.is_received = each.is_received and each.id.last.index > base_;
        return all;
    }

    template <typename Write>
    void write(Write make)
    {
        auto const number = WriteNumber{++write_};
        make(memory, number); // First: the power may fail while the other writes.
        make(*log, number);
    }

    void open()
    {
        auto opened = open_log(disk);
        if (not opened)
            throw std::runtime_error("the log does not open: " + opened.error().what);
        log.emplace(*std::move(opened));
        write_ = 0;
        auto const one = *log->recover();
        auto const other = *memory.recover();
        if (one.entries != other.entries or one.current_term != other.current_term or one.voted_for != other.voted_for)
            throw std::runtime_error("another log is recovered");
        if (one.configuration != other.configuration or one.previous_configuration != other.previous_configuration)
            throw std::runtime_error("other configurations are recovered");
        if (one.peers != other.peers or one.peers != peers_in({one.configuration, one.previous_configuration}))
            throw std::runtime_error("other addresses are recovered");
        configurations_ = {one.previous_configuration};
        if (one.configuration != one.previous_configuration)
            configurations_.push_back(one.configuration);
        term_ = std::max(term_, std::max(one.current_term, Term{1}));
        base_ = one.entries.base().index;
        if (stored(*log) != stored(memory))
            throw std::runtime_error("other snapshots are recovered");
        committed_ = std::max(std::min(committed_, one.entries.last().index), base_);
    }

    [[nodiscard]] std::optional<Configurations> configurations_at(Index index) const
    {
        auto found = std::optional<Configurations>{};
        for (auto const& one : configurations_)
            if (one.index <= index)
                found = Configurations{one, found ? found->in_force : one};
        return found;
    }

    [[nodiscard]] Term term_at(Index index) { return (*memory.read(index, index, 1)->begin()).term; }

    [[nodiscard]] static std::vector<std::byte> encoded(Entries const& entries)
    {
        auto bytes = std::vector<std::byte>{};
        for (auto const& entry : entries)
            bytes.insert(bytes.end(), entry.encoded.begin(), entry.encoded.end());
        return bytes;
    }

    std::uint64_t              write_ = 0;
    Term                       term_{1};
    Index                      base_;           ///< What comes before is compacted.
    Index                      committed_;      ///< Durable, and not truncated any more.
    std::vector<Configuration> configurations_; ///< Of the log, as far as they are known.
};

} // namespace totora::test
