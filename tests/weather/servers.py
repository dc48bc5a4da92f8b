# SPDX-License-Identifier: BSL-1.0
"""kv processes of one cluster, and clients that ask them."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SERVERS_MAX_S = 600.0  # For what servers do by themselves.


def sh(*words: str) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


@dataclass(frozen=True)
class Place:
    """Where a server runs, and what starts a process there."""

    host: str
    peer_port: int
    client_port: int
    before: tuple[str, ...] = ()


class Client:
    """One connection that speaks RESP, as far as this needs it."""

    def __init__(self, host: str, port: int, timeout: float):
        self.socket = socket.create_connection((host, port), timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def send(self, *words: bytes) -> None:
        self.socket.sendall(request(*words))

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


def request(*words: bytes) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        parts += [b"$%d\r\n" % len(word), word, b"\r\n"]
    return b"".join(parts)


class Cluster:
    def __init__(self, kv: str, directory: Path, places: dict[int, Place], options: tuple[str, ...] = ()):
        """`options` are more words for `kv run`."""
        self.kv = kv
        self.options = options
        self.directory = directory
        self.places = places
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        directory.mkdir(exist_ok=True)
        peers = ",".join(f"{server}={place.host}:{place.peer_port}" for server, place in places.items())
        for server in places:
            sh(kv, "init", "--cluster", "weather", "--id", str(server), "--peers", peers, "--dir", self.data(server))

    def data(self, server: int) -> str:
        return str(self.directory / str(server))

    def words(self, server: int) -> tuple[str, ...]:
        """The command that starts a server."""
        place = self.places[server]
        words = (*place.before, self.kv, "run", "--dir", self.data(server), "--client-port", str(place.client_port))
        return words + self.options

    def start(self, server: int) -> None:
        with open(self.directory / f"{server}.log", "ab") as log:
            self.processes[server] = subprocess.Popen(self.words(server), stdout=log, stderr=log)

    def start_all(self) -> None:
        for server in self.places:
            self.start(server)

    def stop(self, server: int) -> int:
        process = self.processes.pop(server)
        process.terminate()
        return process.wait()

    def kill(self, server: int) -> None:
        process = self.processes.pop(server)
        process.kill()
        process.wait()

    def stop_all(self) -> None:
        for server in list(self.processes):
            self.stop(server)

    def client(self, server: int, timeout: float) -> Client:
        place = self.places[server]
        return Client(place.host, place.client_port, timeout)

    def info(self, server: int) -> dict[str, str]:
        try:
            with self.client(server, 2) as client:
                lines = client.ask(b"INFO").split("\r\n")
        except OSError:
            return {}
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def leader(self) -> int:
        """Waits for a server that leads, serves clients, and that they can find."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for server in list(self.processes):
                info = self.info(server)
                serves = info.get("loading") == "0" and info.get("leader_client_address")
                if info.get("raft_role") == "leader" and serves:
                    return server
            time.sleep(0.05)
        raise TimeoutError("nobody leads")

    def term(self) -> int:
        return max(int(self.info(server).get("raft_term", 0)) for server in self.processes)

    def index(self, server: int, field: str) -> int:
        return int(self.info(server).get(field, 0))
