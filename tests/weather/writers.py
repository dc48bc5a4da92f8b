# SPDX-License-Identifier: BSL-1.0
"""Clients that write each value to a key of its own, for as long as it takes, and what became of what they were acknowledged."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from servers import Client, Cluster, request

WRITERS = 8
PAUSE_S = 0.004  # Of a client, between two writes.
ATTEMPT_S_MAX = 0.5  # Then a client asks another server.
STEP_S_MAX = 60.0  # For whatever else is waited for.
VALUE_BYTES = 200
BATCH = 500


def await_that(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STEP_S_MAX
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {STEP_S_MAX:.0f} s")
        time.sleep(0.02)


def value_of(key: bytes) -> bytes:
    return (key + b"=") * (VALUE_BYTES // (len(key) + 1))


class Writer(threading.Thread):
    """Writes to the keys NAME:0, NAME:1, ...: each until it is acknowledged, at one server after the other."""

    def __init__(self, cluster: Cluster, name: str):
        super().__init__(daemon=True)
        self.cluster = cluster
        self.prefix = name
        self.goes_on = threading.Event()
        self.is_over = threading.Event()
        self.is_idle = threading.Event()
        self.acknowledged = 0
        self.waits_s: list[float] = []
        self.unanswered_since: float | None = None
        self.answers: Counter[str] = Counter()  # Those that were not OK, by their first words.
        self.client: Client | None = None
        self.server = 0

    def run(self) -> None:
        while not self.is_over.is_set():
            if not self.goes_on.is_set():
                self.is_idle.set()
                self.goes_on.wait(0.1)
                continue
            self.is_idle.clear()
            self.write(b"%s:%d" % (self.prefix.encode(), self.acknowledged))
            time.sleep(PAUSE_S)

    def write(self, key: bytes) -> None:
        began = self.unanswered_since = time.monotonic()
        while (answer := self.attempt(key)) != "+OK":
            self.answers[" ".join(answer.split()[:2])] += 1
            if self.is_over.is_set() or time.monotonic() - began > STEP_S_MAX:
                return
            self.look_elsewhere(answer)
        self.unanswered_since = None
        self.acknowledged += 1
        self.waits_s.append(time.monotonic() - began)

    def attempt(self, key: bytes) -> str:
        try:
            if self.client is None:
                self.client = self.cluster.client(self.server, ATTEMPT_S_MAX)
            return self.client.ask(b"SET", key, value_of(key))
        except (OSError, KeyError) as error:
            return f"no answer: {type(error).__name__}"

    def look_elsewhere(self, answer: str) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None
        places = self.cluster.places
        port = int(answer.rsplit(":", 1)[1]) if answer.startswith("-MOVED") else 0
        named = [server for server, place in places.items() if place.client_port == port]
        self.server = named[0] if named else random.choice(list(places))
        if not named:
            time.sleep(0.005)

    def longest_s(self) -> float:
        since = self.unanswered_since
        return max([*self.waits_s, time.monotonic() - since if since is not None else 0.0])


class Load:
    def __init__(self, cluster: Cluster):
        self.writers = [Writer(cluster, f"w{number}") for number in range(WRITERS)]
        for writer in self.writers:
            writer.start()

    def go_on(self) -> None:
        for writer in self.writers:
            writer.goes_on.set()

    def pause(self) -> None:
        for writer in self.writers:
            writer.goes_on.clear()
            writer.is_idle.clear()
        for writer in self.writers:
            await_that("a write ends", lambda: writer.is_idle.is_set())

    def end(self) -> None:
        for writer in self.writers:
            writer.is_over.set()
        for writer in self.writers:
            writer.join(STEP_S_MAX)

    def acknowledged(self) -> int:
        return sum(writer.acknowledged for writer in self.writers)

    def keys(self) -> list[bytes]:
        return [
            b"%s:%d" % (writer.prefix.encode(), number) for writer in self.writers for number in range(writer.acknowledged)
        ]

    def waits_ms(self, skipped: list[int] | None = None) -> list[float]:
        """Of all writes in order; those before `skipped` are left out, a number for each writer."""
        from_ = skipped or [0] * WRITERS
        return sorted(wait * 1000 for writer, first in zip(self.writers, from_) for wait in writer.waits_s[first:])

    def longest_ms(self) -> float:
        return max(writer.longest_s() for writer in self.writers) * 1000


def missing(cluster: Cluster, server: int, keys: list[bytes]) -> list[str]:
    """The acknowledged keys that a leader lacks, or has another value of."""
    lost = []
    with cluster.client(server, STEP_S_MAX) as client:
        for first in range(0, len(keys), BATCH):
            batch = keys[first : first + BATCH]
            client.socket.sendall(b"".join(request(b"GET", key) for key in batch))
            for key in batch:
                line = client.file.readline()
                if not line.startswith(b"$"):
                    raise OSError(f"GET was answered {line!r}")
                size = int(line[1:])
                value = client.file.read(size + 2)[:-2] if size >= 0 else None
                if value != value_of(key):
                    lost.append(key.decode())
    return lost
