// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/conformance/findings.hpp"
#include "totora/conformance/log_content.hpp"
#include "totora/conformance/log_workload.hpp"
#include "totora/conformance/sample_entries.hpp"
#include "totora/core/result.hpp"
#include "totora/core/types.hpp"
#include "totora/policy/entry.hpp"
#include "totora/policy/log.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace totora::conformance
{

/// What a log is kept in, over the starts of a process, for `check_log`. A new one holds an empty log of
/// `identity_of_first()`.
///
/// It may have `settle()`, which returns when the threads of the log have done what they were asked for, or at once if it
/// has none; without it the kit looks once in a millisecond, for seconds, whether that happened.
///
/// It may have, and more is checked then: `fail()`, after which the next write or sync fails; `fill()` and `free()`, which
/// take all space and give it back; `damaged(k)`, a `std::optional` of a copy in which one bit is flipped at the k-th
/// place, nothing if there are no more places.
template <typename T>
concept log_storage = requires(T& storage)
{
    requires durable_log<typename T::Log>;
    /// Starts the log that is there. It stays until `stop`.
    {
        storage.open()
        } -> std::same_as<Result<typename T::Log*, LogError>>;
    /// Ends the process in the middle of what it does, and if that can be done, cuts the power.
    {
        storage.stop()
        } -> std::same_as<void>;
};

/// The checks of a log. Use `check_log`.
template <log_storage Storage>
class LogChecks
{
public:
    using Log = typename Storage::Log;

    LogChecks(Storage& storage, Findings& findings) : storage_(storage), findings_(findings) {}

    void what_is_written_is_seen_at_once()
    {
        auto* const log = start();
        if (log == nullptr)
            return;
        append(*log, Term{1}, 6);
        append(*log, Term{2}, 4);
        truncate(*log, Index{9});
        auto const each = entry_header_size + std::size_t{10};
        expect(log->last() == LogPosition{Term{2}, Index{8}}, "what is written is seen at once",
               "last() does not give the last entry that was appended and not truncated.");
        expect(log->bytes(Index{3}, Index{7}) == 5 * each and log->bytes(Index{7}, Index{3}) == 0,
               "what is written is seen at once", "bytes() is not the size of the entries that were written.");
        auto const all = log->read(Index{2}, Index{8}, std::numeric_limits<std::uint64_t>::max());
        expect(all and terms_of(*all) == std::vector<std::uint64_t>{1, 1, 1, 1, 1, 2, 2},
               "what is written is seen at once", "read() does not give the entries that were written.");
        auto const some = log->read(Index{2}, Index{8}, 3 * each + 1);
        auto const one = log->read(Index{2}, Index{8}, 1);
        expect(some and some->count() == 3 and one and one->count() == 1, "a read is cut, but gives one entry",
               "With a limit of bytes for three entries, or for less than one, read() gave another number of them.");
    }

    void what_is_synced_becomes_durable()
    {
        auto* const log = start();
        if (log == nullptr)
            return;
        auto durable = std::uint64_t{0};
        for (auto term = std::uint64_t{1}; term <= 10; ++term) {
            vote(*log, Term{term});
            append(*log, Term{term}, 2);
            sync(*log);
            for (auto waited = 0; waited < 2500; ++waited) {
                auto const now = log->durable().through().value;
                expect(now <= write_, "durable names what was written", "durable() names a write that was not made.");
                expect(now >= durable, "durable never goes back", "durable() named a later write before.");
                durable = now;
                if (now >= write_)
                    break;
                let_work();
            }
            expect(durable >= write_, "what is synced becomes durable",
                   "Seconds after sync(), durable() does not name the newest write.");
            if (durable < write_)
                return;
        }
    }

    void pinned_entries_do_not_change()
    {
        auto* const log = start();
        if (log == nullptr)
            return;
        append(*log, Term{1}, 5);
        auto const pinned = log->read(Index{1}, Index{5}, 1U << 20U);
        truncate(*log, Index{1});
        for (auto times = 0; times < 20; ++times)
            append(*log, Term{2}, 5);
        sync(*log);
        auto intact = pinned.has_value() and terms_of(*pinned) == std::vector<std::uint64_t>(5, 1);
        expect(intact, "pinned entries do not change", "Entries that were read are others after a truncation.");
    }

    /// Several lives of one log, each ended in the middle.
    void starts_find_what_was_durable(std::uint64_t seed)
    {
        findings_.begin("a new log, and the workload " + std::to_string(seed));
        auto workload = Workload{seed};
        for (auto life = 1; life <= 4; ++life) {
            auto const found = restart(workload);
            if (not found)
                return;
            for (auto step = 0; step < 40; ++step)
                workload.step(**found);
            if (life == 3) {
                stop_cleanly(**found, workload);
                continue;
            }
            findings_.call("40 writes and syncs, of which " + std::to_string(workload.durable()) + " of " +
                           std::to_string(workload.writes()) + " writes are durable; stop()");
            storage_.stop();
        }
        (void)restart(workload);
    }

    void configurations_come_back()
    {
        auto* log = start();
        if (log == nullptr)
            return;
        for (auto const& servers : {std::vector<std::uint64_t>{1, 2}, {1, 3}, {1, 2, 3, 4}}) {
            findings_.call("append a configuration");
            log->append(WriteNumber{++write_}, configuration_entry(Term{1}, next(log->last().index), servers));
        }
        truncate(*log, Index{3});
        sync(*log);
        log->close();
        storage_.stop();
        findings_.call("close(), open(), recover()");
        auto       opened = storage_.open();
        auto const recovered = opened ? (**opened).recover() : Result<Recovered, LogError>{Recovered{}};
        expect(opened and recovered and recovered->configuration.index == Index{2} and
                   recovered->previous_configuration.index == Index{1},
               "the two newest configurations are recovered",
               "Those of the indexes 1 and 2 are in the log, and others were named.");
    }

    void a_failure_is_for_ever()
    {
        if constexpr (requires { storage_.fail(); }) {
            auto* const log = start();
            if (log == nullptr)
                return;
            append(*log, Term{1}, 3);
            sync(*log);
            settle(*log);
            auto const durable = log->durable().through();
            findings_.call("fail()");
            storage_.fail();
            append(*log, Term{1}, 3);
            sync(*log);
            settle(*log);
            expect(log->failure().has_value(), "a failed write is reported",
                   "A write or sync failed, and failure() does not say so.");
            for (auto times = 0; times < 5; ++times) {
                append(*log, Term{1}, 1);
                sync(*log);
                settle(*log);
                expect(log->failure().has_value() and log->durable().through() == durable, "a failure is for ever",
                       "After a failed write or sync, failure() was forgotten or durable() moved on.");
            }
        }
    }

    void no_room_can_end()
    {
        if constexpr (requires { storage_.fill(), storage_.free(); }) {
            auto* const log = start();
            if (log == nullptr)
                return;
            findings_.call("fill()");
            storage_.fill();
            for (auto times = 0; times < 2000 and log->has_room(200) and not log->failure(); ++times) {
                append(*log, Term{1}, 1);
                log->sync();
                settle(*log);
                if (log->durable().through().value < write_)
                    return; // Another law is broken.
            }
            if (log->failure())
                return; // It keeps no space in advance: a full disk is a failed write, which is final.
            expect(not log->has_room(200), "no room is refused", "The disk is full, and has_room() is true for ever.");
            findings_.call("free()");
            storage_.free();
            auto has_room = false;
            for (auto waited = 0; waited < 200 and not has_room; ++waited) {
                let_work();
                has_room = log->has_room(200);
                log->sync();
            }
            expect(has_room, "no room can end", "There is space again, and has_room() stays false.");
        }
    }

    void damage_is_reported()
    {
        if constexpr (requires { storage_.damaged(std::uint64_t{0}); }) {
            auto workload = Workload{3};
            auto found = restart(workload);
            if (not found)
                return;
            for (auto step = 0; step < 40; ++step)
                workload.step(**found);
            stop_cleanly(**found, workload);
            for (auto place = std::uint64_t{0};; ++place) {
                auto copy = storage_.damaged(place);
                if (not copy)
                    return;
                auto opened = copy->open();
                if (not opened)
                    continue;
                auto const recovered = (**opened).recover();
                auto const content = recovered ? content_of(**opened, *recovered) : std::nullopt;
                if (recovered and content != workload.current())
                    findings_.call("damaged(" + std::to_string(place) + "), open(), recover()");
                expect(not recovered or content == workload.current(), "damage is reported",
                       "A bit that was durable was flipped, and the log started with something else in it.");
            }
        }
    }

private:
    [[nodiscard]] static std::vector<std::uint64_t> terms_of(Entries const& entries)
    {
        auto terms = std::vector<std::uint64_t>{};
        for (auto const entry : entries)
            terms.push_back(is_intact(entry) ? entry.term.value : 0);
        return terms;
    }

    void expect(bool kept, std::string const& law, std::string const& sentence)
    {
        findings_.expect(kept, law, sentence);
    }

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

    void append(Log& log, Term term, std::uint64_t count)
    {
        findings_.call("append " + std::to_string(count) + " entries of term " + std::to_string(term.value));
        log.append(WriteNumber{++write_}, entries_of(term, next(log.last().index), count, 10, 2));
    }

    void truncate(Log& log, Index from)
    {
        findings_.call("truncate from " + std::to_string(from.value));
        log.truncate(WriteNumber{++write_}, from);
    }

    void vote(Log& log, Term term)
    {
        findings_.call("save a vote in term " + std::to_string(term.value));
        log.save_vote(WriteNumber{++write_}, term, ServerId{1});
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

    Storage&      storage_;
    Findings&     findings_;
    std::uint64_t write_ = 0; ///< The newest write of this start.
};

/// The laws of `durable_log` that the compiler cannot check. For a log that keeps its data in files of ours
/// (`policy/files.hpp`), `LogCrashes` (log_crashes.hpp) looks at every crash besides.
///
/// `make()` gives a new `log_storage`. With threads, or a real disk, it takes some seconds.
template <typename Make>
[[nodiscard]] BrokenLaws check_log(Make make, std::uint64_t workloads = 20)
{
    auto       findings = Findings{};
    auto const check = [&](auto what) {
        auto storage = make();
        auto checks = LogChecks{storage, findings};
        what(checks);
        storage.stop();
    };
    check([](auto& checks) { checks.what_is_written_is_seen_at_once(); });
    check([](auto& checks) { checks.what_is_synced_becomes_durable(); });
    check([](auto& checks) { checks.pinned_entries_do_not_change(); });
    check([](auto& checks) { checks.configurations_come_back(); });
    check([](auto& checks) { checks.a_failure_is_for_ever(); });
    check([](auto& checks) { checks.no_room_can_end(); });
    for (auto seed = std::uint64_t{1}; seed <= workloads; ++seed)
        check([&](auto& checks) { checks.starts_find_what_was_durable(seed); });
    check([](auto& checks) { checks.damage_is_reported(); });
    return findings.broken();
}

} // namespace totora::conformance
