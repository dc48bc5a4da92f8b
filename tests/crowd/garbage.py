# SPDX-License-Identifier: BSL-1.0
"""Connections that are of no use to a server: idle ones, and ones that send what nobody understands."""

from __future__ import annotations

import random
import select
import socket
import struct
import time
from collections import deque

PIECE_BYTES_MAX = 1_500
SENDS_EVERY_S = 2.0


def http(rng: random.Random) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nSET garbage %d\r\n" % rng.randrange(9)


def tls(rng: random.Random) -> bytes:
    return b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(500)


def noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(1, PIECE_BYTES_MAX))


def half_a_line(rng: random.Random) -> bytes:
    return b"GET " + b"k" * rng.randrange(1, PIECE_BYTES_MAX)


def half_a_request(rng: random.Random) -> bytes:
    length = rng.randrange(1, 8 << 20)
    return b"*3\r\n$3\r\nSET\r\n$1\r\ng\r\n$%d\r\n" % length + b"v" * min(length, rng.randrange(1, PIECE_BYTES_MAX))


def many_words(rng: random.Random) -> bytes:
    return b"*%d\r\n" % rng.randrange(100, 65_000) + b"$1\r\nw\r\n" * rng.randrange(1, PIECE_BYTES_MAX // 7)


def no_command(rng: random.Random) -> bytes:
    return b"".join(b"%s %d\r\n" % (rng.choice((b"lpush", b"EVAL", b"help", b'"', b"set", b"get")), n) for n in range(20))


def half_a_frame(rng: random.Random) -> bytes:
    """What a peer begins with: the magic, and a body of up to 16 MiB of which little comes."""
    body = rng.randrange(1, 16 << 20)
    return b"TTRA" + struct.pack("<BBHI", 1, rng.randrange(16), 0, body) + rng.randbytes(rng.randrange(0, PIECE_BYTES_MAX))


def nearly_a_hello(rng: random.Random) -> bytes:
    return b"TTRA" + struct.pack("<BBHIIQQQQQQII", 1, 1, 0, 14, 14, *(rng.randrange(1 << 48) for _ in range(6)), 0, 0)


KINDS = {
    "client": (http, tls, noise, half_a_line, half_a_request, many_words, no_command),
    "peer": (http, tls, noise, half_a_frame, nearly_a_hello),
}


class Crowd:
    """Connections to one port. The first are idle; the others send garbage, again and again. One that is closed comes again, so many
    of them in a second."""

    def __init__(self, host: str, port: int, kind: str, idle: int, garbage: int, again_per_s: int):
        self.address = (host, port)
        self.kinds = KINDS[kind]
        self.idle = idle
        self.rng = random.Random(1)
        self.poll = select.epoll()
        self.here: dict[int, tuple[int, socket.socket, int]] = {}  # Number, socket, and the how many-th it is in all.
        self.waiting = deque(range(idle + garbage))  # To connect.
        self.due: deque[tuple[float, int, int]] = deque()  # When which descriptor sends something, if it is still the how many-th.
        self.again_per_s = again_per_s
        self.allowance = 0.0
        self.connected = self.closed = self.failed = self.sent_bytes = 0

    def __len__(self) -> int:
        return len(self.here)

    def connect(self, number: int) -> None:
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.settimeout(5)
        # Many addresses of this machine, so that the ports of no single one are used up.
        one.bind((f"127.1.{number % 16}.{1 + number % 199}", 0))
        try:
            one.connect(self.address)
        except OSError:
            one.close()
            self.failed += 1
            self.waiting.append(number)
            return
        one.setblocking(False)
        self.connected += 1
        self.here[one.fileno()] = (number, one, self.connected)
        self.poll.register(one.fileno(), select.EPOLLIN)
        if number >= self.idle:
            self.due.append((time.monotonic() + SENDS_EVERY_S, one.fileno(), self.connected))
            self.send_garbage(one.fileno())

    def drop(self, descriptor: int) -> None:
        number, one, _ = self.here.pop(descriptor)
        self.poll.unregister(descriptor)
        one.close()
        self.waiting.append(number)

    def send_garbage(self, descriptor: int) -> None:
        _, one, _ = self.here[descriptor]
        try:
            self.sent_bytes += one.send(self.rng.choice(self.kinds)(self.rng))
        except BlockingIOError:
            pass
        except OSError:
            self.closed += 1
            self.drop(descriptor)

    def read(self, descriptor: int) -> None:
        _, one, _ = self.here[descriptor]
        try:
            if one.recv(65_536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.closed += 1
        self.drop(descriptor)

    def run(self, seconds: float, is_all_enough: bool = False) -> None:
        """For so long, or until all are connected."""
        last = time.monotonic()
        end = last + seconds
        while (now := time.monotonic()) < end and not (is_all_enough and not self.waiting):
            self.allowance = min(self.allowance + (now - last) * self.again_per_s, self.again_per_s / 10)
            last = now
            while self.allowance >= 1 and self.waiting:
                self.allowance -= 1
                self.connect(self.waiting.popleft())
            while self.due and self.due[0][0] <= now:
                _, descriptor, count = self.due.popleft()
                if descriptor in self.here and self.here[descriptor][2] == count:
                    self.due.append((now + SENDS_EVERY_S, descriptor, count))
                    self.send_garbage(descriptor)
            for descriptor, _ in self.poll.poll(0.01, 512):
                if descriptor in self.here:
                    self.read(descriptor)

    def leave(self) -> None:
        for descriptor in list(self.here):
            self.drop(descriptor)
        self.poll.close()
