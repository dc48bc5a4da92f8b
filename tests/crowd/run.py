# SPDX-License-Identifier: BSL-1.0
"""A crowd at the ports of a leader. Started by tests/crowd.sh; prints its result as JSON."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "weather"))

from garbage import Crowd
from restart import local_places
from servers import Client, Cluster

CONNECTING_S_MAX = 60.0
SETTLING_S = 2.0
SPARE_DESCRIPTORS = 512
COUNTERS = ("clients_", "http_", "peer_")


def report(text: str) -> None:
    print(f"crowd: {text}", file=sys.stderr, flush=True)


def resident_kib(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise LookupError("VmRSS")


class Writer:
    """Writes to the leader without a pause, each time over the connection that was there before, or each time over a new one."""

    def __init__(self, host: str, port: int, connects_each_time: bool, pause_s: float):
        self.address = (host, port)
        self.connects_each_time = connects_each_time
        self.pause_s = pause_s
        self.acknowledged = 0
        self.refused: list[str] = []
        self.longest_s = 0.0
        self.is_ending = False
        self.thread = threading.Thread(target=self.write)

    def start(self) -> None:
        self.thread.start()

    def end(self) -> None:
        self.is_ending = True
        self.thread.join()

    def write(self) -> None:
        client: Client | None = None
        while not self.is_ending:
            began = time.monotonic()
            try:
                client = client or Client(*self.address, 30)
                answer = client.ask(b"SET", b"crowd", b"%d" % self.acknowledged)
            except OSError as failure:
                answer = repr(failure)
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            if answer == "+OK":
                self.acknowledged += 1
            else:
                self.refused.append(answer)
            if client is not None and (self.connects_each_time or answer != "+OK"):
                client.close()
                client = None
            time.sleep(self.pause_s)
        if client is not None:
            client.close()


def crowd_in(orders: Connection, address: tuple[str, int], kind: str, options: argparse.Namespace) -> None:
    """Runs in a process of its own, so that it does not delay what measures."""
    crowd = Crowd(*address, kind, options.idle, options.garbage, options.again_per_s)
    crowd.run(CONNECTING_S_MAX, is_all_enough=True)
    orders.send(len(crowd))
    crowd.run(options.seconds)
    most = len(crowd)
    crowd.leave()
    orders.send({"connected": crowd.connected, "closed_by_server": crowd.closed, "failed_to_connect": crowd.failed,
                 "here_at_the_end": most, "garbage_bytes": crowd.sent_bytes})  # fmt: skip


def crowd_at(cluster: Cluster, kind: str, options: argparse.Namespace) -> dict[str, object]:
    leader = cluster.leader()
    place = cluster.places[leader]
    process = cluster.processes[leader].pid
    writers = [Writer(place.host, place.client_port, each_time, pause) for each_time, pause in ((False, 0.01), (True, 0.25))]
    for writer in writers:
        writer.start()
    time.sleep(SETTLING_S)
    term = cluster.term()
    before_kib = most_kib = resident_kib(process)
    port = place.client_port if kind == "client" else place.peer_port
    ours, theirs = multiprocessing.Pipe()
    crowd = multiprocessing.Process(target=crowd_in, args=(theirs, (place.host, port), kind, options))
    crowd.start()
    here: object = None
    counts: object = None
    while crowd.is_alive() or ours.poll():
        if ours.poll(0.1):
            if here is None:
                here = ours.recv()
                report(f"{here} connections at the {kind} port")
            else:
                counts = ours.recv()
        most_kib = max(most_kib, resident_kib(process))
    crowd.join()
    for writer in writers:
        writer.end()
    elections = cluster.term() - term
    refused = [answer for writer in writers for answer in writer.refused]
    longest_s = max(writer.longest_s for writer in writers)
    more_mib = (most_kib - before_kib) / 1024
    info = cluster.info(leader)
    same_leader = info.get("raft_role") == "leader"
    return {
        "idle": options.idle,
        "garbage": options.garbage,
        "seconds": options.seconds,
        "connections_at_once": here,
        "crowd": counts,
        "leader_info": {name: value for name, value in info.items() if name.startswith(COUNTERS)},
        "elections": elections,
        "acknowledged_writes": [writer.acknowledged for writer in writers],
        "refused_writes": len(refused),
        "first_refusals": refused[:3],
        "longest_write_s": round(longest_s, 2),
        "resident_mib_before": round(before_kib / 1024, 1),
        "resident_mib_most": round(most_kib / 1024, 1),
        "resident_mib_after": round(resident_kib(process) / 1024, 1),
        "ok": elections == 0 and same_leader and not refused and all(writer.acknowledged for writer in writers)
        and longest_s <= options.write_s and more_mib <= options.memory_mib and counts is not None,
    }  # fmt: skip


def take_descriptors(needed: int) -> str | None:
    """Lets this process and those that it starts have so many; or why not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        return f"not run: a process may have {hard} file descriptors here, and {needed} are needed (ulimit -Hn)"
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="bash tests/crowd.sh")
    parser.add_argument("--kv", required=True)
    parser.add_argument("--port", choices=("client", "peer", "both"), default="both")
    parser.add_argument("--idle", type=int, default=5_000, help="connections that send nothing")
    parser.add_argument("--garbage", type=int, default=5_000, help="connections that send garbage every two seconds")
    parser.add_argument("--seconds", type=float, default=60, help="for how long all of them stay")
    parser.add_argument("--again-per-s", type=int, default=1_000, help="how many connections are made in a second")
    parser.add_argument("--memory-mib", type=float, default=32, help="how much more the leader may hold")
    parser.add_argument("--write-s", type=float, default=2, help="how long a write may take")
    parser.add_argument("--keep", action="store_true", help="keeps the directories and what the servers printed")
    options = parser.parse_args()
    options.kv = str(Path(options.kv).resolve())

    if why_not := take_descriptors(options.idle + options.garbage + SPARE_DESCRIPTORS):
        print(json.dumps({"crowd": why_not, "ok": True}, indent=2))
        return 0
    directory = Path(tempfile.mkdtemp(prefix="totora-crowd."))
    result: dict[str, object] = {}
    try:
        for kind in ("client", "peer") if options.port == "both" else (options.port,):
            cluster = Cluster(options.kv, directory / kind, local_places(3))
            try:
                cluster.start_all()
                result[kind] = crowd_at(cluster, kind, options)
            finally:
                cluster.stop_all()
    finally:
        if options.keep:
            print(directory, file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    result["ok"] = all(isinstance(part, dict) and part["ok"] for part in result.values())
    print(json.dumps(result, indent=2))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
