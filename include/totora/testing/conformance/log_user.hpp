// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/result.hpp"
#include "totora/core/types.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/findings.hpp"
#include "totora/testing/conformance/log_content.hpp"
#include "totora/testing/conformance/log_storage.hpp"
#include "totora/testing/conformance/log_workload.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace totora::conformance
{

/// Starts, uses and stops a log for its checks, with writes that are numbered as a node does it. Notes what it calls, and the
/// laws that are broken on the way.
template <log_storage Storage>
class LogUser
{
public:
    using Log = typename Storage::Log;

    LogUser(Storage& storage, Findings& findings) : storage_(storage), findings_(findings) {}

    // --- From one start to the next --------------------------------------------------------------------------------

    /// Opens a log for the first time; null if that fails.
    [[nodiscard]] Log* start()
    {
        findings_.begin("a new log");
        auto workload = Workload{0};
        return restart(workload).value_or(nullptr);
    }

    /// Opens the log, and compares what it holds with what may be there; the workload goes on behind that.
    [[nodiscard]] std::optional<Log*> restart(Workload& workload)
    {
        findings_.call("open(), recover()");
        auto opened = storage_.open();
        expect(opened.has_value(), "a stopped log starts again", opened ? "" : opened.error().sentence);
        if (not opened)
            return std::nullopt;
        auto&      log = **opened;
        auto const recovered = log.recover();
        expect(recovered.has_value(), "a stopped log starts again", recovered ? "" : recovered.error().sentence);
        if (not recovered)
            return std::nullopt;
        auto const content = content_of(log, *recovered);
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
        workload.restart(*content);
        return &log;
    }

    /// Closes the log and starts it again, which must find all that was written.
    void stop_cleanly(Log& log, Workload const& workload)
    {
        auto const failed = log.failure().has_value();
        findings_.call("close(), open()");
        log.close();
        expect(failed or not log.failure(), "close does not fail", "failure() is set after close().");
        storage_.stop();
        auto       opened = storage_.open();
        auto const recovered = opened ? (**opened).recover() : Result<Recovered, LogError>{Recovered{}};
        auto const content = opened and recovered ? content_of(**opened, *recovered) : std::nullopt;
        expect(failed or content == workload.current(), "a clean stop keeps everything",
               "Not everything that was written before close() is there.");
        if (opened)
            (**opened).close();
        storage_.stop();
    }

    // --- Calls -------------------------------------------------------------------------------------------------------

    void append(Log& log, Term term, std::uint64_t count)
    {
        findings_.call("append " + std::to_string(count) + " entries of term " + std::to_string(term.value));
        log.append(next_write(), entries_of(term, next(log.last().index), count, 10, 2));
    }

    void truncate(Log& log, Index from)
    {
        findings_.call("truncate from " + std::to_string(from.value));
        log.truncate(next_write(), from);
    }

    void vote(Log& log, Term term)
    {
        findings_.call("save a vote in term " + std::to_string(term.value));
        log.save_vote(next_write(), term, ServerId{1});
    }

    void sync(Log& log)
    {
        findings_.call("sync()");
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

    /// Notes that a law is broken, unless it was kept.
    void expect(bool kept, std::string const& law, std::string const& sentence)
    {
        findings_.expect(kept, law, sentence);
    }

    void begin(std::string what) { findings_.begin(std::move(what)); }
    void call(std::string line) { findings_.call(std::move(line)); }

    /// The number of the newest write of this start, and of the next one.
    [[nodiscard]] std::uint64_t written() const { return write_; }
    [[nodiscard]] WriteNumber   next_write() { return WriteNumber{++write_}; }

    [[nodiscard]] Storage& storage() { return storage_; }

private:
    Storage&      storage_;
    Findings&     findings_;
    std::uint64_t write_ = 0;
};

} // namespace totora::conformance
