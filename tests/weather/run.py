# SPDX-License-Identifier: BSL-1.0
"""Three kv processes on slow links, and restarted one by one. Started by tests/weather.sh; prints its result as JSON."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from behind import delayed_reads
from restart import rolling_restart
from servers import SERVERS_MAX_S, Cluster, Place, sh
from transfer import killed_transfer

SERVERS = (1, 2, 3)
PEER_PORT = 7001
CLIENT_PORT = 6001


def make_network(rate: str) -> None:
    """A namespace for each server, what leaves it limited, and a bridge here."""
    sh("mount", "-t", "tmpfs", "none", "/run")
    Path("/run/netns").mkdir()
    sh("ip", "link", "set", "lo", "up")
    sh("ip", "link", "add", "br0", "type", "bridge")
    sh("ip", "addr", "add", "10.77.0.254/24", "dev", "br0")
    sh("ip", "link", "set", "br0", "up")
    for server in SERVERS:
        name = f"n{server}"
        sh("ip", "netns", "add", name)
        sh("ip", "link", "add", f"v{server}", "type", "veth", "peer", "name", "eth0", "netns", name)
        sh("ip", "link", "set", f"v{server}", "master", "br0", "up")
        sh("ip", "-n", name, "link", "set", "lo", "up")
        sh("ip", "-n", name, "addr", "add", f"{address(server)}/24", "dev", "eth0")
        sh("ip", "-n", name, "link", "set", "eth0", "up")
        limit = ("tbf", "rate", rate, "burst", str(burst_bytes(rate)), "latency", "50ms")
        sh("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "eth0", "root", *limit)


def bits_per_second(rate: str) -> float:
    units = {"kbit": 1_000, "mbit": 1_000_000, "gbit": 1_000_000_000}
    unit = next((unit for unit in units if rate.endswith(unit)), None)
    if unit is None:
        raise ValueError(f"--rate {rate}: a number and kbit, mbit or gbit")
    return float(rate.removesuffix(unit)) * units[unit]


def burst_bytes(rate: str) -> int:
    """What a link sends at once: 10 ms of its rate, and two packets at least."""
    return max(3_200, int(bits_per_second(rate) / 8 / 100))


def address(server: int) -> str:
    return f"10.77.0.{server}"


def place(server: int) -> Place:
    return Place(address(server), PEER_PORT, CLIENT_PORT, ("ip", "netns", "exec", f"n{server}"))


def received_bytes(server: int) -> int:
    """What has arrived at a server's interface: what the bridge's end of its link has sent."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, colon, numbers = line.partition(":")
        if colon and name.strip() == f"v{server}":
            return int(numbers.split()[8])
    raise LookupError(f"v{server}")


def large_values(cluster: Cluster, count: int, size: int) -> dict[str, object]:
    """Each value takes longer than an election timeout on the leader's link: none may cost an election."""
    leader = cluster.leader()
    before = cluster.term()
    committed = 0
    slowest = 0.0
    for number in range(count):
        began = time.monotonic()
        try:
            with cluster.client(leader, 60) as client:
                committed += client.ask(b"SET", b"large:%d" % (number % 2), b"x" * size) == "+OK"
        except OSError:
            pass
        slowest = max(slowest, time.monotonic() - began)
        leader = cluster.leader()
    elections = cluster.term() - before
    return {
        "values": count,
        "value_bytes": size,
        "committed": committed,
        "elections": elections,
        "slowest_s": round(slowest, 2),
        "ok": committed == count and elections == 0,
    }


def wait_for_applied(cluster: Cluster, server: int, commit: int) -> bool:
    """Waits until a server has applied what is committed."""
    deadline = time.monotonic() + SERVERS_MAX_S
    while (applied := cluster.index(server, "raft_applied")) < commit and time.monotonic() < deadline:
        time.sleep(0.1)
    return applied >= commit


def missing_entries(cluster: Cluster, mib: int) -> dict[str, object]:
    """One server is away while much is written, and comes back: what its interface receives until it has it all."""
    value = b"y" * (16 << 10)
    count = (mib << 20) // len(value)
    leader = cluster.leader()
    away = next(server for server in SERVERS if server != leader)
    had_all = wait_for_applied(cluster, away, cluster.index(leader, "raft_commit"))  # A large value may still be on its way.
    cluster.stop(away)
    refused = 0
    with cluster.client(leader, 120) as client:
        for first in range(0, count, 64):
            numbers = range(first, min(first + 64, count))
            for number in numbers:
                client.send(b"SET", b"small:%d" % (number % 100), value)
            refused += sum(client.reply() != "+OK" for _ in numbers)
    before = cluster.term()
    commit = cluster.index(leader, "raft_commit")
    received = received_bytes(away)
    began = time.monotonic()
    cluster.start(away)
    caught_up = wait_for_applied(cluster, away, commit)
    ratio = (received_bytes(away) - received) / (count * len(value))
    elections = cluster.term() - before
    return {
        "missing_bytes": count * len(value),
        "had_all_before": had_all,
        "refused": refused,
        "caught_up": caught_up,
        "catching_up_s": round(time.monotonic() - began, 2),
        "received_per_missing": round(ratio, 3),
        "elections": elections,
        "ok": had_all and caught_up and refused == 0 and ratio <= 1.2 and elections == 0,
    }


def slow_links(options: argparse.Namespace, directory: Path) -> dict[str, dict[str, object]]:
    """What is asked of servers on limited links, by name."""
    make_network(options.rate)
    timing = ("--election-ms", options.election_ms) if options.election_ms else ()
    cluster = Cluster(options.kv, directory, {server: place(server) for server in SERVERS}, timing)
    parts: dict[str, dict[str, object]] = {}
    try:
        cluster.start_all()
        if options.values:
            parts["large_values"] = large_values(cluster, options.values, options.value_bytes)
        if options.missing_mib:
            parts["missing_entries"] = missing_entries(cluster, options.missing_mib)
    finally:
        cluster.stop_all()
    if options.transfer_mib:
        parts["killed_transfer"] = killed_transfer_on(options, directory.with_name("transfer"))
    return parts


def killed_transfer_on(options: argparse.Namespace, directory: Path) -> dict[str, object]:
    """The same links, and servers that keep nothing of their logs beside a snapshot."""
    places = {server: place(server) for server in SERVERS}
    cluster = Cluster(options.kv, directory, places, ("--snapshot-mib", "0", "--keep-mib", "0"))
    transfer_s = (options.transfer_mib << 20) / (bits_per_second(options.rate) / 8)
    try:
        cluster.start_all()
        return killed_transfer(cluster, options.transfer_mib, options.kills, transfer_s, received_bytes)
    finally:
        cluster.stop_all()


def main() -> int:
    parser = argparse.ArgumentParser(prog="bash tests/weather.sh")
    parser.add_argument("--kv", required=True)
    parser.add_argument("--rate", default="50mbit")
    parser.add_argument("--election-ms", metavar="MIN..MAX", help="of the servers on slow links")
    parser.add_argument("--values", type=int, default=20)
    parser.add_argument("--value-bytes", type=int, default=8_000_000)
    parser.add_argument("--missing-mib", type=int, default=100)
    parser.add_argument("--restart-entries", type=int, default=3_000_000)
    parser.add_argument("--transfer-mib", type=int, default=60, help="a snapshot that travels while its ends are killed")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--behind-mib", type=int, default=64, help="what a server lacks whose leader's reads are delayed")
    parser.add_argument("--read-ms", type=int, default=200, help="how long each of these takes")
    parser.add_argument("--only", choices=("links", "reads", "restart"), help="one part; only links need namespaces")
    parser.add_argument("--without-links", metavar="REASON", help="the links cannot be limited here")
    parser.add_argument("--keep", action="store_true", help="keeps the directories and what the servers printed")
    options = parser.parse_args()
    options.kv = str(Path(options.kv).resolve())

    def wants(part: str) -> bool:
        return options.only in (None, part)

    directory = Path(tempfile.mkdtemp(prefix="totora-weather."))
    result: dict[str, object] = {}
    parts: dict[str, dict[str, object]] = {}
    try:
        if wants("links") and options.without_links is None and (
            options.values or options.missing_mib or options.transfer_mib
        ):
            result["rate"] = options.rate
            parts |= slow_links(options, directory / "links")
        elif options.without_links is not None:
            result["links"] = f"not run: {options.without_links}"
        if wants("reads") and options.behind_mib:
            parts["delayed_reads"] = delayed_reads(options.kv, directory / "reads", options.behind_mib, options.read_ms)
        if wants("restart") and options.restart_entries:
            parts["rolling_restart"] = rolling_restart(options.kv, directory / "restart", options.restart_entries)
    finally:
        if options.keep:
            print(directory, file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    result |= parts
    result["ok"] = all(part["ok"] for part in parts.values())
    print(json.dumps(result, indent=2))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
