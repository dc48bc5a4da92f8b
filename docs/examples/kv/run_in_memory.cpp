// SPDX-License-Identifier: BSL-1.0
#include "replica.hpp"
#include "run.hpp"

#include "totora/log/memory_log.hpp"

int kv::run_in_memory(Run const& run, OperatorLog& lines)
{
    lines.print(
        "the log is kept in memory: when this process ends, all that it knew is lost, also what it promised; to go "
        "on then, start all servers again with another --cluster name");
    auto const identity = totora::Identity{totora::cluster_of(run.trial.cluster, run.trial.peers, run.trial.token),
                                           run.trial.id, totora::first_incarnation, run.trial.peers};
    auto       log = totora::MemoryLog{identity};
    return Replica<totora::MemoryLog>{run, identity, log, lines}.run();
}
