// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/log_entries.hpp"
#include "totora/log/forgetful_files.hpp"
#include "totora/log/segmented_log.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// A log on a disk that forgets, what is written to it, and what may be found on the disk afterwards.
namespace totora::test
{

using Disk = std::shared_ptr<ForgetfulDisk>;
using TestLog = SegmentedLog<ForgetfulFiles, InlineSyncer>;

inline SegmentedLogOptions small_options()
{
    return {.segment_bytes = 4096,
            .cache_bytes = 2000,
            .record_bytes_max = 700,
            .prepare_bytes = 2048,
            .retry_after = std::chrono::milliseconds{0}};
}

inline Disk disk_with_log()
{
    auto disk = std::make_shared<ForgetfulDisk>();
    auto files = ForgetfulFiles{disk};
    (void)create_log(files, identity_of_first());
    return disk;
}

inline Result<TestLog, LogError> open_log(Disk const& disk, SegmentedLogOptions const& options = small_options())
{
    return TestLog::open(ForgetfulFiles{disk}, options);
}

/// Random numbers that are the same everywhere (splitmix64).
class Dice
{
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}

    [[nodiscard]] std::uint64_t roll(std::uint64_t below)
    {
        state_ += 0x9E3779B97F4A7C15U;
        auto mixed = state_;
        mixed = (mixed ^ mixed >> 30U) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ mixed >> 27U) * 0x94D049BB133111EBU;
        return (mixed ^ mixed >> 31U) % below;
    }

private:
    std::uint64_t state_;
};

/// What a log holds: the state of Figure 2, each entry by its term and the size of its payload.
struct Content
{
    struct Entry
    {
        std::uint64_t term = 0;
        std::size_t   payload_size = 0;

        friend bool operator==(Entry const&, Entry const&) = default;
    };

    Term                    term;
    std::optional<ServerId> vote;
    std::vector<Entry>      entries;

    friend bool operator==(Content const&, Content const&) = default;
};

/// What an open log holds, read entry by entry; nothing if anything about it is wrong.
template <typename Log>
std::optional<Content> content_of(Log& log, Recovered const& recovered)
{
    auto       content = Content{recovered.current_term, recovered.voted_for, {}};
    auto const last = recovered.entries.last();
    if (log.last() != last)
        return std::nullopt;
    auto index = Index{1};
    while (index <= last.index) {
        auto const entries = log.read(index, last.index, 3000);
        if (not entries or entries->empty())
            return std::nullopt;
        for (auto const& entry : *entries) {
            auto const expected = payload_for(index, entry.term, entry.payload.size());
            if (entry.index != index or not is_intact(entry) or recovered.entries.term_at(index) != entry.term or
                not std::equal(expected.begin(), expected.end(), entry.payload.begin()))
                return std::nullopt;
            content.entries.push_back({entry.term.value, entry.payload.size()});
            index = next(index);
        }
    }
    return content;
}

/// Writes at random, and remembers what the log held after each write.
class Workload
{
public:
    explicit Workload(std::uint64_t seed) : dice_(seed) { history_.emplace_back(); }

    /// Goes on behind what a recovery found; write numbers begin anew.
    void restart(Content content)
    {
        history_.assign(1, std::move(content));
        current_ = history_.back();
        commit_ = std::min<std::uint64_t>(commit_, current_.entries.size());
        durable_ = 0;
    }

    /// Makes a random write, or syncs.
    template <typename Log>
    void step(Log& log, std::size_t payload_max = 200)
    {
        auto const chance = dice_.roll(100);
        if (chance < 30)
            log.sync();
        else if (chance < 38)
            vote(log);
        else if (chance < 45 and current_.entries.size() > commit_)
            truncate(log, current_.entries.size() -
                              dice_.roll(std::min<std::uint64_t>(current_.entries.size() - commit_, 40)));
        else if (chance < 50)
            commit(log);
        else
            append(log, 1 + dice_.roll(5), 1 + dice_.roll(3), payload_max);
        note(log);
    }

    template <typename Log>
    void note(Log& log)
    {
        durable_ = std::max(durable_, log.durable().through().value);
    }

    template <typename Log>
    void vote(Log& log)
    {
        current_.term = Term{current_.term.value + 1};
        current_.vote = dice_.roll(2) == 0 ? std::optional<ServerId>{} : ServerId{1 + dice_.roll(3)};
        log.save_vote(WriteNumber{history_.size()}, current_.term, current_.vote);
        history_.push_back(current_);
    }

    template <typename Log>
    void truncate(Log& log, std::uint64_t from)
    {
        current_.entries.resize(from - 1);
        log.truncate(WriteNumber{history_.size()}, Index{from});
        history_.push_back(current_);
    }

    /// Often above what is durable, as in a leader whose followers are faster; truncations stay above it.
    template <typename Log>
    void commit(Log& log)
    {
        commit_ += dice_.roll(current_.entries.size() - commit_ + 1);
        log.save_commit(Index{commit_});
    }

    template <typename Log>
    void append(Log& log, std::uint64_t count, std::uint64_t per_slice, std::size_t payload_max)
    {
        auto const payload_size = dice_.roll(payload_max + 1);
        auto const term = std::max(current_.term, Term{current_.entries.empty() ? 1 : current_.entries.back().term});
        auto const first = Index{current_.entries.size() + 1};
        log.append(WriteNumber{history_.size()}, entries_of(term, first, count, payload_size, per_slice));
        current_.entries.resize(current_.entries.size() + count, {term.value, payload_size});
        history_.push_back(current_);
    }

    [[nodiscard]] Content const& current() const { return current_; }
    [[nodiscard]] std::uint64_t  writes() const { return history_.size() - 1; }
    [[nodiscard]] std::uint64_t  durable() const { return durable_; }
    [[nodiscard]] Dice&          dice() { return dice_; }

    /// Whether this is what was there after a write that is not older than the newest one reported durable. The last
    /// append may be there in part.
    [[nodiscard]] bool allows(Content const& found) const { return allows(found, durable_); }

    /// The same, if no more than this write has to be there.
    [[nodiscard]] bool allows(Content const& found, std::uint64_t at_least) const
    {
        for (auto write = at_least; write < history_.size(); ++write) {
            if (history_[write] == found)
                return true;
            if (write + 1 < history_.size() and is_part(history_[write], found, history_[write + 1]))
                return true;
        }
        return false;
    }

private:
    [[nodiscard]] static bool is_part(Content const& before, Content const& found, Content const& after)
    {
        return before.term == found.term and before.vote == found.vote and
               before.entries.size() <= found.entries.size() and found.entries.size() <= after.entries.size() and
               std::equal(before.entries.begin(), before.entries.end(), after.entries.begin()) and
               std::equal(found.entries.begin(), found.entries.end(), after.entries.begin());
    }

    Dice                 dice_;
    Content              current_;
    std::uint64_t        commit_ = 0;
    std::vector<Content> history_;     ///< After each write, the first element being before all of them.
    std::uint64_t        durable_ = 0; ///< The newest write that the log reported durable.
};

/// Opens the log that is on the disk and compares it with what may be there. Empty if all is well.
inline std::string check_recovery(Disk const& disk, Workload const& workload)
{
    auto log = open_log(disk);
    if (not log)
        return "open: " + log.error().sentence;
    auto const recovered = log->recover();
    if (recovered->commit_index > recovered->entries.last().index)
        return "a commit index above the last entry";
    auto const content = content_of(*log, *recovered);
    if (not content)
        return "entries that cannot be read back";
    if (not workload.allows(*content))
        return "not a prefix of the writes with everything durable (" + std::to_string(content->entries.size()) +
               " entries, " + std::to_string(workload.durable()) + " of " + std::to_string(workload.writes()) +
               " writes durable)";
    return {};
}

} // namespace totora::test
