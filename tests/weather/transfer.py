# SPDX-License-Identifier: BSL-1.0
"""A snapshot travels to a server while processes at both of its ends are killed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from restart import report
from servers import SERVERS_MAX_S, Cluster

VALUE = b"t" * (16 << 10)
RATIO_MAX = 1.3


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SERVERS_MAX_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)


def fill(cluster: Cluster, leader: int, mib: int) -> None:
    """So many values of 16 KiB, each of a key of its own: the snapshot is as large."""
    with cluster.client(leader, 120) as client:
        for first in range(0, mib * 64, 64):
            for number in range(first, first + 64):
                client.send(b"SET", b"transfer:%d" % number, VALUE)
            if any(client.reply() != "+OK" for _ in range(64)):
                raise OSError("a value was not written")


def take_snapshots(cluster: Cluster) -> None:
    """The servers that run have applied the same entries: their snapshots are of the same bytes. Their logs begin after them."""
    applied = cluster.index(cluster.leader(), "raft_commit")
    for server in cluster.processes:
        until(lambda: cluster.index(server, "raft_applied") >= applied, f"server {server} does not apply {applied}")
        with cluster.client(server, 60) as client:
            client.ask(b"RAFT.SNAPSHOT")
        until(lambda: cluster.index(server, "raft_base") >= applied, f"server {server} does not compact up to {applied}")


def killed_transfer(
    cluster: Cluster, mib: int, kills: int, transfer_s: float, received_bytes: Callable[[int], int]
) -> dict[str, object]:
    """Kills the receiver or the leader, at moments that are drawn, and counts what arrives at the receiver."""
    drawn = random.Random(mib * 1000 + kills)
    leader = cluster.leader()
    away = next(server for server in cluster.places if server != leader)
    cluster.stop(away)
    fill(cluster, leader, mib)
    take_snapshots(cluster)
    commit, size = cluster.index(leader, "raft_commit"), cluster.index(leader, "raft_snapshot_bytes")
    before = received_bytes(away)
    cluster.start(away)
    killed: list[str] = []
    for _ in range(kills):
        until(lambda: is_under_way(cluster, away), "no snapshot is on its way")
        time.sleep(drawn.uniform(0.1, 1.5) * transfer_s / (kills + 1))
        if not is_under_way(cluster, away):
            break
        victim = away if drawn.random() < 0.5 else cluster.leader()
        killed.append("receiver" if victim == away else "leader")
        cluster.kill(victim)
        cluster.start(victim)
    until(lambda: cluster.index(away, "raft_applied") >= commit, "the server does not catch up")
    ratio = (received_bytes(away) - before) / size
    report(f"a snapshot of {size >> 20} MiB: {len(killed)} kills, received {ratio:.2f} times its bytes")
    return {
        "snapshot_bytes": size,
        "killed": killed,
        "received_per_byte": round(ratio, 3),
        "ok": len(killed) == kills and ratio <= RATIO_MAX,
    }


def is_under_way(cluster: Cluster, receiver: int) -> bool:
    return "raft_reception" in cluster.info(receiver)
