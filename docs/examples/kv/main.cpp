// SPDX-License-Identifier: BSL-1.0
// A replicated key-value store that redis-cli and redis-benchmark can speak to; see README.md beside this file.
#include "arguments.hpp"
#include "replica.hpp"

#include "totora/log/memory_log.hpp"
#include "totora/transport/loopback.hpp"

#include <cstdio>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace {

/// For everything that the operator can set right.
int refuse(std::string_view sentence)
{
    std::fprintf(stderr, "kv: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
    return 2;
}

int execute(kv::Help)
{
    std::fputs(kv::help_text.data(), stdout);
    return 0;
}

int execute(kv::Init const&)
{
    return refuse("not yet");
}

int execute(kv::Run const& run)
{
    auto identity = totora::Identity{totora::cluster_of(run.trial.cluster), run.trial.id,
                                     totora::first_incarnation, run.trial.peers};
    auto log = totora::MemoryLog{identity};
    auto network = totora::LoopbackNetwork{};
    auto transport = network.join(run.trial.id, totora::first_incarnation);
    auto context = boost::asio::io_context{1};
    return kv::run_replica(context, run, log, transport, kv::client_host(run, run.trial.peers, run.trial.id));
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
