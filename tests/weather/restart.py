# SPDX-License-Identifier: BSL-1.0
"""A rolling restart: three kv processes with a long log are stopped and started one by one, and clients go on writing."""

from __future__ import annotations

import random
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from servers import Client, Cluster, Place, request

WRITERS = 8
BATCH = 1000
FILLING_S_MAX = 900.0
READY_S_MAX = 300.0
PAUSE_S = 0.01
SERVICE_GAP_S_MAX = 2.0  # And an election.


def report(text: str) -> None:
    print(f"weather: {text}", file=sys.stderr, flush=True)


def local_places(count: int) -> dict[int, Place]:
    """Places on this machine, at free ports below those that the kernel takes for outgoing connections."""
    ports: list[int] = []
    while len(ports) < 2 * count:
        port = random.randrange(10_000, 30_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        if port not in ports:
            ports.append(port)
    return {server + 1: Place("127.0.0.1", ports[2 * server], ports[2 * server + 1]) for server in range(count)}


def election_s_max(kv: str) -> float:
    """The longest election timeout that kv draws, by its help."""
    text = subprocess.run((kv, "--help"), check=True, capture_output=True, text=True).stdout
    found = re.search(r"--election-ms .*?\(default: \d+\.\.(\d+)\)", text, re.DOTALL)
    if found is None:
        raise LookupError("kv --help does not list the default of --election-ms")
    return int(found[1]) / 1000


def fill(cluster: Cluster, entries: int) -> float:
    """Writes so many small values, each to a key of its own. Returns how long that took."""
    began = time.monotonic()
    leader = cluster.leader()
    clients = [cluster.client(leader, 60) for _ in range(WRITERS)]
    sent = acknowledged = 0
    reported = began
    while acknowledged < entries:
        counts = []
        for client in clients:
            count = min(BATCH, entries - sent)
            keys = range(sent, sent + count)
            client.socket.sendall(b"".join(request(b"SET", b"key:%d" % key, b"value:%d" % key) for key in keys))
            sent += count
            counts.append(count)
        for client, count in zip(clients, counts):
            for _ in range(count):
                if (reply := client.reply()) != "+OK":
                    raise OSError(f"while filling: {reply}")
            acknowledged += count
        now = time.monotonic()
        if now - began > FILLING_S_MAX:
            raise TimeoutError(f"{acknowledged} of {entries} entries after {FILLING_S_MAX:.0f} s")
        if now - reported > 5:
            reported = now
            report(f"{acknowledged} of {entries} entries")
    for client in clients:
        client.close()
    return time.monotonic() - began


class Trickle:
    """A client that writes all the time: it goes where MOVED sends it, and asks again whatever else it was answered."""

    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        self.acknowledged = 0
        self.answers: dict[str, int] = {}  # Those that were not OK, by their first word.
        self.longest = 0.0
        self.last = time.monotonic()
        self.is_ending = False
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.write, daemon=True)

    def start(self) -> None:
        self.last = time.monotonic()
        self.thread.start()

    def end(self) -> None:
        self.is_ending = True
        self.thread.join()

    def take_longest(self) -> float:
        """The longest time without an acknowledged write since this was asked last, what is going on now counted."""
        with self.lock:
            longest = max(self.longest, time.monotonic() - self.last)
            self.longest = 0.0
            return longest

    def write(self) -> None:
        ports = [place.client_port for place in self.cluster.places.values()]
        port = ports[0]
        client: Client | None = None
        number = 0
        while not self.is_ending:
            try:
                client = client or Client("127.0.0.1", port, 1)
                answer = client.ask(b"SET", b"trickle", b"%d" % number)
            except OSError:
                answer = "no answer"
            number += 1
            if answer == "+OK":
                self.note()
                time.sleep(PAUSE_S)
                continue
            word = answer.split()[0]
            self.answers[word] = self.answers.get(word, 0) + 1
            if client is not None:
                client.close()
                client = None
            port = int(answer.rsplit(":", 1)[1]) if word == "-MOVED" else ports[(ports.index(port) + 1) % len(ports)]
            time.sleep(PAUSE_S)

    def note(self) -> None:
        now = time.monotonic()
        with self.lock:
            self.longest = max(self.longest, now - self.last)
            self.last = now
            self.acknowledged += 1


def restart(cluster: Cluster, server: int, trickle: Trickle) -> dict[str, object]:
    """Stops a server and starts it again, until it reports that it is ready."""
    led = cluster.leader() == server
    began = time.monotonic()
    status = cluster.stop(server)
    stopped = time.monotonic()
    cluster.start(server)
    while cluster.info(server).get("loading") != "0" and time.monotonic() - stopped < READY_S_MAX:
        time.sleep(0.02)
    ready = time.monotonic()
    result: dict[str, object] = {
        "server": server,
        "led": led,
        "exit_status": status,
        "stopping_s": round(stopped - began, 2),
        "until_ready_s": round(ready - stopped, 2),
        "ready": cluster.info(server).get("loading") == "0",
        "longest_without_a_write_s": round(trickle.take_longest(), 2),
    }
    report(f"restarted: {result}")
    return result


def rolling_restart(kv: str, directory: Path, entries: int) -> dict[str, object]:
    """Each server once with the leader last, and once with the leader first."""
    cluster = Cluster(kv, directory, local_places(3))
    try:
        cluster.start_all()
        filling = fill(cluster, entries)
        report(f"{entries} entries after {filling:.0f} s")
        before = cluster.term()
        trickle = Trickle(cluster)
        trickle.start()
        restarts = []
        for leader_first in (False, True):
            leader = cluster.leader()
            for server in sorted(cluster.places, key=lambda one: (one == leader) != leader_first):
                restarts.append(restart(cluster, server, trickle))
        trickle.end()
        elections = cluster.term() - before
    finally:
        cluster.stop_all()
    allowed = SERVICE_GAP_S_MAX + election_s_max(kv)
    longest = max(float(str(one["longest_without_a_write_s"])) for one in restarts)
    return {
        "entries": entries,
        "filling_s": round(filling, 1),
        "acknowledged": trickle.acknowledged,
        "other_answers": trickle.answers,
        "elections": elections,
        "restarts": restarts,
        "longest_without_a_write_s": longest,
        "longest_allowed_s": allowed,
        "ok": longest <= allowed and all(one["ready"] and one["exit_status"] == 0 for one in restarts),
    }
