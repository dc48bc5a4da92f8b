# SPDX-License-Identifier: BSL-1.0
"""A server that catches up, and snapshots, while clients write. Started by benchmarks/upkeep.sh; prints its result as JSON."""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests" / "weather"))

from restart import local_places, report  # noqa: E402
from servers import Cluster  # noqa: E402

CATCHING_UP_MB_S_MIN = 60.0
SHARE_MIN = 0.8
P99_RATIO_MAX = 2.0
CATCHING_UP_S_MAX = 300.0


class Loads:
    """Starts `load` against the server that leads."""

    def __init__(self, program: str, cluster: Cluster, value_bytes: int):
        self.program = program
        self.cluster = cluster
        self.value_bytes = value_bytes

    def run(self, **options: object) -> dict[str, float]:
        port = self.cluster.places[self.cluster.leader()].client_port
        words = [self.program, "--port", str(port), "--value-bytes", str(self.value_bytes)]
        for name, value in options.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        return json.loads(printed)


def highest_rate(loads: Loads, seconds: float) -> float:
    """SETs a second that the cluster answers when more are always outstanding: the median of three runs."""
    loads.run(seconds=1)
    return statistics.median(loads.run(seconds=seconds)["per_second"] for _ in range(3))


def catching_up(options: argparse.Namespace, directory: Path) -> dict[str, object]:
    """One server is away while much is written, and comes back while clients write."""
    cluster = Cluster(options.kv, directory, local_places(3), ("--segment-mib", "64", "--snapshot-mib", "0"))
    try:
        cluster.start_all()
        loads = Loads(options.load, cluster, 4096)
        highest = highest_rate(loads, options.slice_seconds)
        leader = cluster.leader()
        away = next(server for server in cluster.places if server != leader)
        cluster.stop(away)
        report(f"{highest:.0f} SETs of 4 KiB a second; server {away} is away while {options.mib} MiB are written")
        missing_from = cluster.index(leader, "raft_last")
        loads.run(values=options.mib * 256)
        missing_mb = (cluster.index(leader, "raft_last") - missing_from) * 4096 / 1e6
        term = cluster.term()
        slices: list[dict[str, float]] = []
        is_over = threading.Event()
        writer = threading.Thread(target=write_slices, args=(loads, int(highest / 2), slices, is_over))
        writer.start()
        commit = cluster.index(leader, "raft_commit")
        began = time.monotonic()
        cluster.start(away)
        while cluster.index(away, "raft_applied") < commit and time.monotonic() - began < CATCHING_UP_S_MAX:
            time.sleep(0.05)
        seconds = time.monotonic() - began
        caught_up = cluster.index(away, "raft_applied") >= commit
        is_over.set()
        writer.join()
        elections = cluster.term() - term
    finally:
        cluster.stop_all()
    offered = sum(one["offered"] for one in slices)
    share = sum(one["acknowledged"] * one["offered_seconds"] / one["seconds"] for one in slices) / offered
    rate = missing_mb / seconds
    return {
        "highest_per_second": round(highest),
        "missing_mb": round(missing_mb),
        "caught_up": caught_up,
        "seconds": round(seconds, 2),
        "mb_per_second": round(rate, 1),
        "offered_per_second": int(highest / 2),
        "share_of_offered": round(share, 3),
        "refused": sum(one["refused"] for one in slices),
        "p99_ms": [one["p99_ms"] for one in slices],
        "elections": elections,
        "ok": caught_up and rate >= CATCHING_UP_MB_S_MIN and share >= SHARE_MIN and elections == 0,
    }


def write_slices(loads: Loads, rate: int, slices: list[dict[str, float]], is_over: threading.Event) -> None:
    """Clients offer `rate` SETs a second until that is over, two seconds at a time."""
    while not is_over.is_set():
        slices.append(loads.run(rate=rate, seconds=2) | {"offered_seconds": 2.0})


class Snapshots(threading.Thread):
    """Asks one server after the other for a snapshot: as soon as one is there, the next is asked."""

    def __init__(self, cluster: Cluster):
        super().__init__(daemon=True)
        self.cluster = cluster
        self.is_over = threading.Event()
        self.taken = 0
        self.bytes = 0

    def run(self) -> None:
        while not self.is_over.is_set():
            for server in self.cluster.places:
                before = self.cluster.info(server).get("raft_snapshot_index")
                with self.cluster.client(server, 60) as client:
                    client.ask(b"RAFT.SNAPSHOT")
                while (info := self.cluster.info(server)).get("raft_snapshot_index") == before:
                    if self.is_over.wait(0.02):
                        return
                self.taken += 1
                self.bytes += int(info["raft_snapshot_bytes"])


def snapshots(options: argparse.Namespace, directory: Path) -> dict[str, object]:
    """SETs of 256 B over 100,000 keys at half of the highest rate, with and without snapshots in turns."""
    cluster = Cluster(options.kv, directory, local_places(3), ("--segment-mib", "64", "--snapshot-mib", "0"))
    with_snapshots: list[float] = []
    without: list[float] = []
    taken = size = 0
    try:
        cluster.start_all()
        loads = Loads(options.load, cluster, 256)
        loads.run(values=100_000)
        highest = highest_rate(loads, options.slice_seconds)
        report(f"{highest:.0f} SETs of 256 B a second")
        for pair in range(options.pairs):
            without.append(loads.run(rate=int(highest / 2), seconds=options.slice_seconds)["p99_ms"])
            taking = Snapshots(cluster)
            taking.start()
            with_snapshots.append(loads.run(rate=int(highest / 2), seconds=options.slice_seconds)["p99_ms"])
            taking.is_over.set()
            taking.join()
            taken += taking.taken
            size += taking.bytes
            report(f"pair {pair + 1} of {options.pairs}: p99 {without[-1]} ms without, {with_snapshots[-1]} ms with snapshots")
    finally:
        cluster.stop_all()
    ratio = statistics.median(one / other for one, other in zip(with_snapshots, without))
    return {
        "highest_per_second": round(highest),
        "offered_per_second": int(highest / 2),
        "snapshots_taken": taken,
        "snapshot_mb_per_second": round(size / 1e6 / (options.pairs * options.slice_seconds), 1),
        "p99_ms_without": without,
        "p99_ms_with": with_snapshots,
        "ratio_median": round(ratio, 2),
        "ok": taken > 0 and ratio <= P99_RATIO_MAX,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="bash benchmarks/upkeep.sh")
    parser.add_argument("--kv", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--only", choices=("catching-up", "snapshots"))
    parser.add_argument("--mib", type=int, default=1024, help="what the server lacks")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--slice-seconds", type=float, default=8)
    parser.add_argument("--dir", help="where the logs are written (default: the directory of the build)")
    options = parser.parse_args()
    options.kv = str(Path(options.kv).resolve())
    options.load = str(Path(options.load).resolve())
    directory = Path(tempfile.mkdtemp(prefix="upkeep.", dir=options.dir or Path(options.kv).parents[1]))
    result: dict[str, object] = {}
    parts: dict[str, dict[str, object]] = {}
    try:
        if options.only != "snapshots":
            parts["catching_up"] = catching_up(options, directory / "catching-up")
        if options.only != "catching-up":
            parts["snapshots"] = snapshots(options, directory / "snapshots")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    result |= parts
    result["ok"] = all(part["ok"] for part in parts.values())
    print(json.dumps(result, indent=2))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
