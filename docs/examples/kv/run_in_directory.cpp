// SPDX-License-Identifier: BSL-1.0
#include "replica.hpp"
#include "report/reading_progress.hpp"
#include "run.hpp"
#include "start/skippable_files.hpp"

#include "totora/log/segmented_log.hpp"

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace
{

using namespace kv;

using Clock = std::chrono::steady_clock;

/// The reason why the log cannot use a directory.
[[nodiscard]] int refuse_directory(OperatorLog& lines, std::string const& directory, totora::LogError const& error)
{
    if (error.failure == totora::LogFailure::not_found)
        lines.print({"there is no server in '", directory,
                     "': make one with kv init, unless its server ever ran. One that lost its directory would forget "
                     "what it voted and acknowledged: restore the directory, or leave that server out"});
    else
        lines.print({directory, ": ", error.what});
    return 2;
}

} // namespace

int kv::run_in_directory(Run const& run, OperatorLog& lines)
{
    auto files = totora::PosixFiles::open_directory(run.directory);
    if (not files)
        return refuse_directory(lines, run.directory, files.error());
    auto const identity = totora::read_identity(*files);
    if (not identity)
        return refuse_directory(lines, run.directory, identity.error());
    if (auto const caution = files->caution(); not caution.empty())
        lines.print(caution);
    if (run.skips_sync)
        lines.print("--unsafe-no-sync: what is acknowledged here is not durable");

    using Log = totora::SegmentedLog<SkippableFiles, totora::ThreadSyncer>;
    auto options = totora::SegmentedLogOptions{};
    options.segment_bytes = run.segment_mib << 20U;
    options.scrub_bytes_per_second = run.scrub_mib << 20U;
    options.on_progress = [&lines,
                           progress = ReadingProgress{Clock::now()}](totora::RecoveryProgress const& now) mutable {
        try {
            if (auto const line = progress.line(now, Clock::now()))
                lines.print(*line);
        } catch (std::exception const&) { // No memory for a line: there will be another one.
        }
    };
    auto log = Log::open(SkippableFiles{*std::move(files), run.skips_sync}, options);
    if (not log)
        return refuse_directory(lines, run.directory, log.error());
    return Replica<Log>{run, *identity, *log, lines}.run();
}
