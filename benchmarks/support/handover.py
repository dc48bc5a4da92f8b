# SPDX-License-Identifier: BSL-1.0
"""For how long a client waits when a leader hands over: by RAFT.TRANSFER, and as it is stopped by SIGTERM.

    python3 -B benchmarks/support/handover.py --kv build/release/examples/kv [--rounds 50]

Three kv processes with durable logs on this machine, and one client that writes one value after the other: after each answer the next, at
the server that answers. Prints one JSON object, "ok" last; the exit code is 0 if the median of the longest waits is at most 50 ms by
RAFT.TRANSFER and 100 ms by SIGTERM, and every write that was acknowledged is there at the end.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests" / "weather"))

from restart import local_places, report  # noqa: E402
from servers import Client, Cluster  # noqa: E402

TRANSFER_MS_MAX = 50.0
SIGTERM_MS_MAX = 100.0
PAUSE_S = 0.3


class Writer(threading.Thread):
    """Writes one value after the other, and notes when each was acknowledged."""

    def __init__(self, cluster: Cluster):
        super().__init__(daemon=True)
        self.cluster = cluster
        self.is_over = threading.Event()
        self.acknowledged: list[tuple[float, int]] = []
        self.clients: dict[int, Client] = {}

    def client(self, server: int) -> Client:
        if server not in self.clients:
            self.clients[server] = self.cluster.client(server, 2)
        return self.clients[server]

    def forget(self, server: int) -> None:
        if client := self.clients.pop(server, None):
            client.close()

    def run(self) -> None:
        servers = list(self.cluster.places)
        at = 0
        value = 0
        while not self.is_over.is_set():
            server = servers[at]
            try:
                answer = self.client(server).ask(b"SET", b"handover", str(value).encode())
            except OSError:
                self.forget(server)
                at = (at + 1) % len(servers)
                time.sleep(0.001)
                continue
            if answer == "+OK":
                self.acknowledged.append((time.monotonic(), value))
                value += 1
            elif answer.startswith("-MOVED"):
                port = int(answer.rsplit(":", 1)[1])
                at = next(n for n, one in enumerate(servers) if self.cluster.places[one].client_port == port)
            else:  # Nobody leads at the moment, or another is about to.
                at = (at + 1) % len(servers)
                time.sleep(0.001)

    def longest_wait_ms(self, since: float) -> float:
        times = [when for when, _ in self.acknowledged if when > since]
        before = max((when for when, _ in self.acknowledged if when <= since), default=since)
        return max((later - earlier) * 1000 for earlier, later in zip([before, *times], times))


def await_everywhere(cluster: Cluster, leader: int) -> None:
    """Waits until every follower has what the leader has committed."""
    deadline = time.monotonic() + 60
    for server in cluster.places:
        while cluster.index(server, "raft_applied") + 1000 < cluster.index(leader, "raft_commit"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"server {server} does not catch up")
            time.sleep(0.02)


def rounds(cluster: Cluster, writer: Writer, count: int, stops: bool) -> list[float]:
    waits = []
    for number in range(count):
        leader = cluster.leader()
        await_everywhere(cluster, leader)
        time.sleep(PAUSE_S)
        began = time.monotonic()
        if stops:
            cluster.stop(leader)
        else:
            with cluster.client(leader, 10) as client:
                answer = client.ask(b"RAFT.TRANSFER")
            if answer != "+OK":
                raise OSError(f"RAFT.TRANSFER was answered {answer}")
        time.sleep(PAUSE_S)
        waits.append(writer.longest_wait_ms(began))
        if stops:
            cluster.start(leader)
        if number % 10 == 9:
            report(f"{number + 1} of {count} by {'SIGTERM' if stops else 'RAFT.TRANSFER'}: median {statistics.median(waits):.1f} ms")
    return waits


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -B benchmarks/support/handover.py")
    parser.add_argument("--kv", required=True)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--dir", help="where the logs are written (default: the directory of the build)")
    options = parser.parse_args()
    kv = str(Path(options.kv).resolve())
    directory = Path(tempfile.mkdtemp(prefix="handover.", dir=options.dir or Path(kv).parents[1]))
    cluster = Cluster(kv, directory / "cluster", local_places(3))
    try:
        cluster.start_all()
        cluster.leader()
        writer = Writer(cluster)
        writer.start()
        by_transfer = rounds(cluster, writer, options.rounds, stops=False)
        by_sigterm = rounds(cluster, writer, options.rounds, stops=True)
        writer.is_over.set()
        writer.join()
        with cluster.client(cluster.leader(), 10) as client:
            last = int(client.ask(b"GET", b"handover"))
    finally:
        cluster.stop_all()
        shutil.rmtree(directory, ignore_errors=True)
    lost = writer.acknowledged[-1][1] - last
    result = {
        "rounds": options.rounds,
        "acknowledged": len(writer.acknowledged),
        "lost": max(lost, 0),
        "transfer_ms": {"median": round(statistics.median(by_transfer), 1), "max": round(max(by_transfer), 1)},
        "sigterm_ms": {"median": round(statistics.median(by_sigterm), 1), "max": round(max(by_sigterm), 1)},
    }
    result["ok"] = (
        lost <= 0
        and statistics.median(by_transfer) <= TRANSFER_MS_MAX
        and statistics.median(by_sigterm) <= SIGTERM_MS_MAX
    )
    print(json.dumps(result, indent=2))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
