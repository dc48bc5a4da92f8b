// SPDX-License-Identifier: BSL-1.0
// A replicated key-value store that redis-cli and redis-benchmark can speak to; see README.md beside this file.
#include "backup/export_store.hpp"
#include "backup/import_store.hpp"
#include "report/log_verdict.hpp"
#include "report/operator_log.hpp"
#include "report/reading_progress.hpp"
#include "run.hpp"
#include "start/arguments.hpp"
#include "start/standard_streams.hpp"
#include "start/stop_signals.hpp"

#include "totora/log/log_directory.hpp"
#include "totora/log/posix_files.hpp"
#include "totora/log/verify.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace
{

/// For everything that the operator can set right.
int refuse(std::string const& what)
{
    std::fprintf(stderr, "kv: %s\n", what.c_str());
    return 2;
}

/// What a tool has done.
int print(std::string const& done)
{
    std::fputs(done.c_str(), stdout);
    return 0;
}

int execute(kv::Help)
{
    std::fputs(kv::help_text.data(), stdout);
    return 0;
}

int make_directory(std::string const& directory, totora::Identity const& identity)
{
    auto files = totora::PosixFiles::make_directory(directory);
    if (not files)
        return refuse(directory + ": " + files.error().what);
    if (auto const created = totora::create_log(*files, identity); not created)
        return refuse(directory + ": " + created.error().what);
    return 0;
}

int execute(kv::Init const& init)
{
    return make_directory(init.directory, {totora::cluster_of(init.cluster, init.peers, init.token), init.id,
                                           totora::first_incarnation, init.peers});
}

int execute(kv::Join const& join)
{
    return make_directory(join.directory, {join.cluster, join.id, kv::draw_incarnation(), {}});
}

int execute(kv::Verify const& verify)
{
    auto files = totora::PosixFiles::open_directory(verify.directory);
    if (not files)
        return refuse(verify.directory + ": " + files.error().what);
    auto const tell = [said = kv::ReadingProgress{std::chrono::steady_clock::now()}](auto const& now) mutable {
        if (auto const line = said.line(now, std::chrono::steady_clock::now()))
            std::fprintf(stderr, "kv: %s\n", line->c_str());
    };
    auto const verdict = totora::verify_log(*files, tell);
    if (not verdict)
        return refuse(verify.directory + ": " + verdict.error().what);
    std::fputs((verify.as_json ? kv::to_json(*verdict) : kv::to_text(*verdict)).c_str(), stdout);
    return verdict->damage.empty() ? 0 : 1;
}

int execute(kv::Export const& wanted)
{
    auto const outcome = kv::export_store(wanted);
    if (outcome)
        return print(*outcome);
    auto const status = refuse(outcome.error().what);
    return outcome.error().is_damaged ? 1 : status;
}

int execute(kv::Import const& wanted)
{
    auto const outcome = kv::StoreImport{wanted}.run();
    return outcome ? print(*outcome) : refuse(outcome.error());
}

int execute(kv::Run const& run)
{
    if (not kv::StopSignals::begin())
        return refuse("cannot handle SIGTERM: there are too few file descriptors");
    auto lines = kv::OperatorLog{};
    try {
        return run.log == kv::LogKind::memory ? kv::run_in_memory(run, lines) : kv::run_in_directory(run, lines);
    } catch (std::exception const& failure) {
        lines.print({"cannot go on: ", kv::reason_of(failure)});
        return 1;
    }
}

} // namespace

int main(int count, char** arguments)
{
    if (not kv::secure_standard_streams())
        return 2; // There is nowhere to print why.
    try {
        auto const words = std::vector<std::string_view>(arguments + 1, arguments + count);
        auto const invocation = kv::parse_arguments(words);
        if (not invocation)
            return refuse(invocation.error());
        return std::visit([](auto const& what) { return execute(what); }, *invocation);
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "kv: cannot go on: %s\n", kv::reason_of(failure).data());
        return 1;
    }
}
