// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/lent_entries.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/log_workload.hpp"
#include "totora/testing/conformance/log_storage.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace totora::inline v0::conformance
{

/// Starts, uses and stops a log for its checks, with writes that are numbered as a node does it. Records the calls, and
/// the laws that are broken meanwhile.
template <typename Storage>
class LogUser
{
public:
    using Log = typename Storage::Log;

    LogUser(Storage& storage, Violations& violations) : storage_(storage), violations_(violations) {}

    // --- From one start to the next --------------------------------------------------------------------------------

    /// Opens a log for the first time; null if that fails.
    [[nodiscard]] Log* start()
    {
        violations_.begin("a new log");
        auto workload = Workload{0};
        return restart(workload).value_or(nullptr);
    }

    /// Opens the log that is there, and recovers it; nothing if that fails. Its writes are numbered from 1 again.
    struct Started
    {
        Log*      log = nullptr;
        Recovered found;
    };
    [[nodiscard]] std::optional<Started> open()
    {
        violations_.call("open(), recover()");
        write_ = 0;
        auto opened = storage_.open();
        expect(opened.has_value(), "a stopped log starts again", opened ? "" : opened.error().what);
        if (not opened)
            return std::nullopt;
        auto recovered = (**opened).recover();
        expect(recovered.has_value(), "a stopped log starts again", recovered ? "" : recovered.error().what);
        if (not recovered)
            return std::nullopt;
        expect(recovered->identity == sample_identity(), "the identity is kept",
               "Another one was recovered than the log was made with, or a part of it is missing.");
        expect((**opened).durable().through() == WriteNumber{}, "durable names what was written",
               "durable() names a write before this start has made one.");
        expect(recovered->commit_index <= recovered->entries.last().index,
               "a recovered commit index was saved and is in the log",
               "It is " + std::to_string(recovered->commit_index.value) + ", and the last entry " +
                   std::to_string(recovered->entries.last().index.value) + ".");
        return Started{*opened, *std::move(recovered)};
    }

    /// Opens the log, and compares its content with what may be there; the workload continues after that.
    [[nodiscard]] std::optional<Log*> restart(Workload& workload)
    {
        auto const started = open();
        if (not started)
            return std::nullopt;
        auto&       log = *started->log;
        auto const& recovered = started->found;
        expect_commit(recovered.commit_index, workload);
        expect_first_members(recovered);
        auto const content = content_of(log, recovered);
        expect(content.has_value(), "what was recovered can be read", "An entry is not there, or not as it was.");
        if (not content)
            return std::nullopt;
        auto const allowed = workload.allows(*content);
        auto const found = std::to_string(content->entries.size()) + " entries in term " +
                           std::to_string(content->term.value) + " were found.";
        expect(allowed or not workload.allows(*content, 0), "durable writes survive",
               "A write is missing that had been reported durable: " + found);
        expect(allowed or workload.allows(*content, 0), "recovery gives a prefix",
               "After none of the writes was this there: " + found);
        if (not allowed)
            return std::nullopt;
        workload.restart(*content, recovered.commit_index);
        workload.lend_by(lender_);
        return &log;
    }

    /// Makes everything durable, and starts again. Null if that fails.
    [[nodiscard]] Log* restart(Log& log, Recovered& found)
    {
        sync(log);
        settle(log);
        violations_.call("stop()");
        storage_.stop();
        auto started = open();
        if (started)
            found = std::move(started->found);
        return started ? started->log : nullptr;
    }

    /// Reads any range of the entries that a workload has written.
    void look(Log& log, Workload& workload)
    {
        auto const complaint = workload.look(log);
        expect(complaint.empty(), "what is written is seen at once", complaint);
        expect(not log.failure(), "a log does not fail by itself", log.failure() ? log.failure()->what : "");
        expect(log.durable().through().value <= workload.writes(), "durable names what was written",
               "durable() names a write that was not made.");
    }

    /// Closes the log and starts it again; it must find all that was written.
    void stop_cleanly(Log& log, Workload const& workload)
    {
        auto const failed = log.failure().has_value();
        violations_.call("close(), open()");
        log.close();
        expect(failed or not log.failure(), "close does not fail", "failure() is set after close().");
        storage_.stop();
        auto       opened = storage_.open();
        auto const recovered = opened ? (**opened).recover() : Result<Recovered, LogError>{Recovered{}};
        auto const content = opened and recovered ? content_of(**opened, *recovered) : std::nullopt;
        expect(failed or content == workload.current(), "a clean stop keeps everything",
               "Not everything that was written before close() is there.");
        expect(failed or not recovered or (recovered->cleanly_stopped and not recovered->torn_tail),
               "a clean stop leaves its mark", "After close() the log was reported as stopped otherwise.");
        if (opened)
            (**opened).close();
        storage_.stop();
    }

    // --- Calls -------------------------------------------------------------------------------------------------------

    void append(Log& log, Term term, std::uint64_t count)
    {
        append(log, entries_of(term, next(log.last().index), count, 10, 2));
    }

    /// What the log keeps of the entries without a pin is overwritten as soon as this returns.
    void append(Log& log, Entries const& entries)
    {
        violations_.call("append " + std::to_string(entries.count()) + " entries");
        log.append(next_write(), lender_.lend(entries));
    }

    void truncate(Log& log, Index from)
    {
        violations_.call("truncate from " + std::to_string(from.value));
        log.truncate(next_write(), from);
    }

    void vote(Log& log, Term term)
    {
        violations_.call("save a vote in term " + std::to_string(term.value));
        log.save_vote(next_write(), term, ServerId{1});
    }

    void sync(Log& log)
    {
        violations_.call("sync()");
        log.sync();
    }

    /// Waits until what was synced is durable or has failed, for a while at most.
    void settle(Log& log) const
    {
        for (auto waited = 0; waited < 100 and log.durable().through().value < write_ and not log.failure(); ++waited)
            let_work();
    }

    /// Lets the log's threads work.
    void let_work() const
    {
        if constexpr (requires { storage_.settle(); })
            storage_.settle();
        else
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }

    /// Records that a law is broken, unless it was kept.
    void expect(bool kept, std::string const& law, std::string const& what) { violations_.expect(kept, law, what); }

    void begin(std::string what) { violations_.begin(std::move(what)); }
    void call(std::string line) { violations_.call(std::move(line)); }

    /// The number of the newest write of this start, and of the next one.
    [[nodiscard]] std::uint64_t written() const { return write_; }
    [[nodiscard]] WriteNumber   next_write() { return WriteNumber{++write_}; }

    [[nodiscard]] Storage& storage() { return storage_; }

private:
    void expect_commit(Index recovered, Workload const& workload)
    {
        expect(recovered <= workload.commit_index(), "a recovered commit index was saved and is in the log",
               "It is " + std::to_string(recovered.value) + ", and the newest that was saved " +
                   std::to_string(workload.commit_index().value) + ".");
        expect(recovered >= workload.durable_commit(), "a saved commit index is remembered",
               "It is " + std::to_string(recovered.value) + ", and before a write that is durable " +
                   std::to_string(workload.durable_commit().value) + " was saved.");
    }

    /// In a log that holds no configuration.
    void expect_first_members(Recovered const& recovered)
    {
        auto const first = first_configuration(sample_identity());
        expect(recovered.configuration == first and recovered.previous_configuration == first,
               "without another configuration that of the first members is recovered",
               "The log holds no configuration, and that at index 0 was not given for both.");
        expect(has_sample_peers(recovered), "the addresses of members are recovered",
               "The log holds no configuration, and others were found than those of the first members.");
    }

    Storage&      storage_;
    Violations&   violations_;
    Lender        lender_;
    std::uint64_t write_ = 0;
};

} // namespace totora::inline v0::conformance
