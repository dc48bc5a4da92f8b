# SPDX-License-Identifier: BSL-1.0
"""Three kv processes on slow links. Started by tests/weather.sh, in namespaces of its own, and says what came of it as JSON."""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVERS = (1, 2, 3)
PEER_PORT = 7001
CLIENT_PORT = 6001


def sh(*words: str) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


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
        limit = ("tbf", "rate", rate, "burst", "64kb", "latency", "50ms")
        sh("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "eth0", "root", *limit)


def address(server: int) -> str:
    return f"10.77.0.{server}"


def received_bytes(server: int) -> int:
    """What has arrived at a server's interface: what the bridge's end of its link has sent."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, colon, numbers = line.partition(":")
        if colon and name.strip() == f"v{server}":
            return int(numbers.split()[8])
    raise LookupError(f"v{server}")


class Client:
    """One connection that speaks RESP, as far as this needs it."""

    def __init__(self, server: int, timeout: float):
        self.socket = socket.create_connection((address(server), CLIENT_PORT), timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def send(self, *words: bytes) -> None:
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            parts += [b"$%d\r\n" % len(word), word, b"\r\n"]
        self.socket.sendall(b"".join(parts))

    def reply(self) -> str:
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("the connection ended")
        if line[:1] != b"$":
            return line[:-2].decode()
        text = self.file.read(int(line[1:]) + 2)
        return text[:-2].decode(errors="replace")

    def ask(self, *words: bytes) -> str:
        self.send(*words)
        return self.reply()


class Cluster:
    def __init__(self, kv: str, directory: Path):
        self.kv = kv
        self.directory = directory
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        peers = ",".join(f"{server}={address(server)}:{PEER_PORT}" for server in SERVERS)
        for server in SERVERS:
            sh(kv, "init", "--cluster", "weather", "--id", str(server), "--peers", peers, "--dir", self.data(server))

    def data(self, server: int) -> str:
        return str(self.directory / str(server))

    def start(self, server: int) -> None:
        words = ("ip", "netns", "exec", f"n{server}", self.kv, "run", "--dir", self.data(server))
        words += ("--client-port", str(CLIENT_PORT))
        with open(self.directory / f"{server}.said", "ab") as said:
            self.processes[server] = subprocess.Popen(words, stdout=said, stderr=said)

    def stop(self, server: int) -> None:
        process = self.processes.pop(server)
        process.terminate()
        process.wait()

    def info(self, server: int) -> dict[str, str]:
        try:
            with Client(server, 2) as client:
                lines = client.ask(b"INFO").split("\r\n")
        except OSError:
            return {}
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def leader(self) -> int:
        """Waits for a server that leads and that its clients can find."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for server in self.processes:
                info = self.info(server)
                if info.get("raft_role") == "leader" and info.get("leader_client_address"):
                    return server
            time.sleep(0.05)
        raise TimeoutError("nobody leads")

    def term(self) -> int:
        return max(int(self.info(server).get("raft_term", 0)) for server in self.processes)

    def index(self, server: int, field: str) -> int:
        return int(self.info(server).get(field, 0))


def large_values(cluster: Cluster, count: int, size: int) -> dict[str, object]:
    """Each value takes longer than an election timeout on the leader's link: none may cost an election."""
    leader = cluster.leader()
    before = cluster.term()
    committed = 0
    slowest = 0.0
    for number in range(count):
        began = time.monotonic()
        try:
            with Client(leader, 60) as client:
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


def missing_entries(cluster: Cluster, mib: int) -> dict[str, object]:
    """One server is away while much is written, and comes back: what its interface receives until it has it all."""
    value = b"y" * (16 << 10)
    count = (mib << 20) // len(value)
    leader = cluster.leader()
    away = next(server for server in SERVERS if server != leader)
    cluster.stop(away)
    refused = 0
    with Client(leader, 120) as client:
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
    deadline = began + 600
    while cluster.index(away, "raft_applied") < commit and time.monotonic() < deadline:
        time.sleep(0.1)
    ratio = (received_bytes(away) - received) / (count * len(value))
    caught_up = cluster.index(away, "raft_applied") >= commit
    elections = cluster.term() - before
    return {
        "missing_bytes": count * len(value),
        "refused": refused,
        "caught_up": caught_up,
        "catching_up_s": round(time.monotonic() - began, 2),
        "received_per_missing": round(ratio, 3),
        "elections": elections,
        "ok": caught_up and refused == 0 and ratio <= 1.2 and elections == 0,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="bash tests/weather.sh")
    parser.add_argument("--kv", required=True)
    parser.add_argument("--rate", default="50mbit")
    parser.add_argument("--values", type=int, default=20)
    parser.add_argument("--value-bytes", type=int, default=8_000_000)
    parser.add_argument("--missing-mib", type=int, default=100)
    parser.add_argument("--keep", action="store_true", help="keeps the directories and what the servers said")
    options = parser.parse_args()

    make_network(options.rate)
    directory = Path(tempfile.mkdtemp(prefix="totora-weather."))
    cluster = Cluster(str(Path(options.kv).resolve()), directory)
    try:
        for server in SERVERS:
            cluster.start(server)
        result: dict[str, object] = {"weather": "run", "rate": options.rate}
        parts = []
        if options.values:
            parts.append(large_values(cluster, options.values, options.value_bytes))
            result["large_values"] = parts[-1]
        if options.missing_mib:
            parts.append(missing_entries(cluster, options.missing_mib))
            result["missing_entries"] = parts[-1]
        result["ok"] = all(part["ok"] for part in parts)
    finally:
        for server in list(cluster.processes):
            cluster.stop(server)
        if options.keep:
            print(directory, file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    print(json.dumps(result, indent=2))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
