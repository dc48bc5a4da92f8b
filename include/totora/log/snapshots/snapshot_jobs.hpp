// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/snapshot.hpp"
#include "totora/data/attempt.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/queue.hpp"
#include "totora/log/snapshots/list_snapshots.hpp"
#include "totora/log/snapshots/reception_record.hpp"
#include "totora/log/snapshots/snapshot_attempt.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// What is to be done with the file of a snapshot.
struct SnapshotJob
{
    enum class What : std::uint8_t
    {
        begin,  ///< A file of this number.
        write,  ///< These bytes into it.
        finish, ///< It is the whole of this snapshot.
        drop,   ///< It is not needed any more.
        remove, ///< The finished one of this number.
    };

    What                   what{};
    bool                   is_received = false; ///< Which of the two files that may be written at a time is meant.
    SnapshotId             id{};
    std::uint64_t          number = 0;
    std::vector<std::byte> bytes{};
};

/// An attempt that has ended.
struct EndedSnapshot
{
    SnapshotEnd                   end;
    std::optional<StoredSnapshot> snapshot; ///< If it went well.
    std::uint64_t                 number = 0;
    bool                          is_lost = false; ///< It had ended well, and was found damaged since.
};

/// Does what is to be done with the files of snapshots, in order. The node's thread adds jobs; `work` does them, on another thread or on
/// the syncer's.
template <log_files Files>
class SnapshotJobs
{
public:
    using What = SnapshotJob::What;

    SnapshotJobs(Files& files, Identity const& identity, std::uint64_t sync_bytes)
        : files_(files), own_(files, identity, sync_bytes), received_(files, identity, sync_bytes)
    {}

    /// The next chunks go on with a file of an earlier process. Before the first job.
    void resume(Reception<typename Files::File> found) { received_.resume(std::move(found)); }

    /// Sets what has `work` called soon, and what is called when an attempt has ended.
    void connect(std::function<void()> request, std::function<void()> wake)
    {
        request_ = std::move(request);
        wake_ = std::move(wake);
    }

    /// How many bytes wait to be written.
    [[nodiscard]] std::uint64_t backlog() const { return backlog_; }

    void add(SnapshotJob job)
    {
        backlog_ += job.bytes.size();
        {
            auto const lock = std::lock_guard{mutex_};
            jobs_.push_back(std::move(job));
            has_jobs_ = true;
        }
        if (request_)
            request_();
    }

    /// A finished snapshot was found damaged. From any thread.
    void note_damage(SnapshotFile const& one, LogError error)
    {
        add_ended({{one.snapshot.id, one.snapshot.is_received, std::move(error)}, std::nullopt, one.number, true});
    }

    /// The next attempt that has ended and was not returned yet.
    [[nodiscard]] std::optional<EndedSnapshot> next_ended()
    {
        auto const lock = std::lock_guard{mutex_};
        return ended_.empty() ? std::nullopt : std::optional{ended_.pop_front()};
    }

    /// Does the next job. Returns whether there are more. Never throws: lack of memory ends the attempt.
    [[nodiscard]] bool work() noexcept
    {
        if (not has_jobs_)
            return false;
        auto job = SnapshotJob{};
        {
            auto const lock = std::lock_guard{mutex_};
            job = jobs_.pop_front();
            has_jobs_ = not jobs_.empty();
        }
        auto const before = backlog_.fetch_sub(job.bytes.size());
        if (before >= backlog_few and before - job.bytes.size() < backlog_few and wake_)
            wake_();
        auto& one = job.is_received ? received_ : own_;
        auto  thrown = attempt("writing a snapshot", [&] { perform(job, one); });
        if (thrown)
            (void)attempt("ending that", [&] { give_up(job, one, *std::move(thrown)); });
        return has_jobs_;
    }

private:
    static constexpr std::uint64_t backlog_few = std::uint64_t{1} << 20U;

    void perform(SnapshotJob const& job, SnapshotAttempt<Files>& one)
    {
        switch (job.what) {
        case What::begin:
            return one.begin(job.number, job.is_received ? std::optional{job.id} : std::nullopt);
        case What::write:
            one.write(job.bytes);
            return report(one);
        case What::finish:
            return finish(job, one);
        case What::drop:
            return one.drop();
        case What::remove:
            (void)files_.remove(snapshot_file_name(job.number)); // What stays is listed again at the next start.
            return;
        }
    }

    void give_up(SnapshotJob const& job, SnapshotAttempt<Files>& one, std::string what)
    {
        one.fail({LogFailure::write_failed, std::move(what)});
        if (job.what == What::finish)
            finish(job, one);
        else
            report(one);
    }

    /// What is received is not waited for once it has failed: nobody need send the rest.
    void report(SnapshotAttempt<Files>& one)
    {
        if (auto failure = one.take_early_failure())
            add_ended({{*one.received(), true, *std::move(failure)}, std::nullopt, one.number(), false});
    }

    void finish(SnapshotJob const& job, SnapshotAttempt<Files>& one)
    {
        if (one.has_ended())
            return;
        auto const outcome = one.finish(job.id, job.is_received);
        auto       ended = EndedSnapshot{{job.id, job.is_received, std::nullopt}, std::nullopt, one.number(), false};
        if (outcome)
            ended.snapshot = *outcome;
        else
            ended.end.failure = outcome.error();
        add_ended(std::move(ended));
    }

    void add_ended(EndedSnapshot ended)
    {
        {
            auto const lock = std::lock_guard{mutex_};
            ended_.push_back(std::move(ended));
        }
        if (wake_)
            wake_();
    }

    Files&                files_;
    std::function<void()> request_;
    std::function<void()> wake_;

    std::mutex                 mutex_; ///< Guards `jobs_` and `ended_`.
    Queue<SnapshotJob>         jobs_;
    Queue<EndedSnapshot>       ended_;
    std::atomic<bool>          has_jobs_ = false;
    std::atomic<std::uint64_t> backlog_ = 0;

    SnapshotAttempt<Files> own_; // The rest belongs to the thread of `work`.
    SnapshotAttempt<Files> received_;
};

} // namespace totora::inline v0
