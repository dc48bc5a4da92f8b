// SPDX-License-Identifier: BSL-1.0
// A replicated key-value store that redis-cli and redis-benchmark can speak to; see README.md beside this file.
#include "arguments.hpp"
#include "run.hpp"

#include "totora/log/log_directory.hpp"
#include "totora/log/posix_files.hpp"

#include <cstdio>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace
{

/// For everything that the operator can set right.
int refuse(std::string const& sentence)
{
    std::fprintf(stderr, "kv: %s\n", sentence.c_str());
    return 2;
}

int execute(kv::Help)
{
    std::fputs(kv::help_text.data(), stdout);
    return 0;
}

int execute(kv::Init const& init)
{
    auto files = totora::PosixFiles::make_directory(init.directory);
    if (not files)
        return refuse(init.directory + ": " + files.error().sentence);
    auto const identity =
        totora::Identity{totora::cluster_of(init.cluster, init.peers), init.id, totora::first_incarnation, init.peers};
    if (auto const created = totora::create_log(*files, identity); not created)
        return refuse(init.directory + ": " + created.error().sentence);
    return 0;
}

int execute(kv::Run const& run)
{
    if (run.log == kv::LogKind::memory)
        return kv::run_in_memory(run);
    return kv::run_in_directory(run);
}

} // namespace

int main(int count, char** arguments)
{
    auto const words = std::vector<std::string_view>(arguments + 1, arguments + count);
    auto const invocation = kv::parse_arguments(words);
    if (not invocation)
        return refuse(invocation.error());
    return std::visit([](auto const& what) { return execute(what); }, *invocation);
}
