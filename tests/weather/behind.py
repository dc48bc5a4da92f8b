# SPDX-License-Identifier: BSL-1.0
"""A server lacks entries that its leader must read from a disk each of whose reads takes long."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections import defaultdict
from pathlib import Path

from restart import local_places, report
from servers import SERVERS_MAX_S, Cluster

HEARTBEAT_MS = 50
GAP_MS_MAX = 2 * HEARTBEAT_MS
VALUE = b"z" * (16 << 10)


class Trace:
    """strace of a process that runs, until `end`."""

    def __init__(self, process: int, file: Path, *options: str):
        self.file = file
        self.strace = subprocess.Popen(
            ("strace", "-f", "-qq", "-o", str(file), "-p", str(process), *options),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def end(self) -> None:
        self.strace.terminate()
        self.strace.wait()


def longest_gap_ms(trace: Path) -> float:
    """Of the connection on which a server hears its leader: the longest time between two reads that brought something."""
    times: dict[str, list[float]] = defaultdict(list)
    for line in trace.read_text(errors="replace").splitlines():
        found = re.match(r"\d+ +(\d+\.\d+) recv(?:from|msg)\((\d+),.*\) = [1-9]", line)
        if found:
            times[found[2]].append(float(found[1]))
    heard = max(times.values(), key=len, default=[])
    if len(heard) < 10:
        raise LookupError(f"{trace} shows no connection on which heartbeats come")
    return 1000 * max(later - earlier for earlier, later in zip(heard, heard[1:]))


def write(cluster: Cluster, leader: int, mib: int) -> None:
    with cluster.client(leader, 120) as client:
        for _ in range(mib):
            for number in range(64):
                client.send(b"SET", b"behind:%d" % number, VALUE)
            if any(client.reply() != "+OK" for _ in range(64)):
                raise OSError("a value was not written")


def delayed_reads(kv: str, directory: Path, mib: int, delay_ms: int) -> dict[str, object]:
    """The third server hears its leader as if nobody lacked anything, and no server campaigns."""
    if shutil.which("strace") is None:
        return {"not_run": "there is no strace", "ok": True}
    cluster = Cluster(kv, directory, local_places(3), ("--snapshot-mib", "0"))
    try:
        cluster.start_all()
        away = next(server for server in cluster.places if server != cluster.leader())
        cluster.stop(away)
        write(cluster, cluster.leader(), mib)
        for server in list(cluster.processes):  # What they wrote is no longer in their memory.
            cluster.stop(server)
        for server in cluster.places:
            if server != away:
                cluster.start(server)
        leader = cluster.leader()
        other = next(server for server in cluster.places if server not in (leader, away))
        commit, term = cluster.index(leader, "raft_commit"), cluster.term()
        slow = Trace(
            cluster.processes[leader].pid,
            directory / "leader.trace",
            *("--seccomp-bpf", "-e", "trace=pread64", "-e", f"inject=pread64:delay_enter={delay_ms * 1000}"),
        )
        heard = Trace(cluster.processes[other].pid, directory / "other.trace", "-ttt", "-e", "trace=recvfrom,recvmsg")
        began = time.monotonic()
        cluster.start(away)
        while (applied := cluster.index(away, "raft_applied")) < commit and time.monotonic() - began < SERVERS_MAX_S:
            time.sleep(0.2)
        seconds = time.monotonic() - began
        heard.end()
        slow.end()
        reads = (directory / "leader.trace").read_text(errors="replace").count("pread64(")
        gap = longest_gap_ms(directory / "other.trace")
        elections = cluster.term() - term
    finally:
        cluster.stop_all()
    report(f"{mib} MiB after {seconds:.1f} s, {reads} reads of {delay_ms} ms, the longest gap {gap:.0f} ms")
    return {
        "missing_mib": mib,
        "delay_ms": delay_ms,
        "reads": reads,
        "caught_up": applied >= commit,
        "seconds": round(seconds, 2),
        "longest_gap_ms": round(gap, 1),
        "elections": elections,
        "ok": applied >= commit and reads > 0 and elections == 0 and gap <= GAP_MS_MAX,
    }
