# SPDX-License-Identifier: BSL-1.0
"""The members of a cluster change under load while servers are killed: three kv processes grow to five and move to three others.

    python3 -B tests/weather/members.py --kv build/release/examples/kv [--rounds 50]

In each round three new servers are let in and the three old ones out, one after the other (RAFT.ADD, RAFT.REMOVE); the next round begins
with what the last one left. Meanwhile clients write, each value to a key of its own, and one server at a time is killed with SIGKILL and
started again, the leader half of the time. At the end of a round every key that was ever acknowledged is read at each of the new members,
which leads for that. Prints a line for each round and one JSON object, "ok" last; the exit code is 0 if all rounds were run, nothing was
lost, and no write took longer than 2 s from its first attempt to its acknowledgement.

    --plant loss      sets the disks of all servers back to an earlier state at the end: the loss must be found
    --plant stall     stops two of three servers for 3 s at the end: the wait must be found
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from restart import local_places
from servers import Cluster, Place, sh
from writers import STEP_S_MAX, Load, await_that, missing

UNANSWERED_S_MAX = 2.0
STALL_S = 3.0
# A round writes more than that: newcomers receive snapshots.
OPTIONS = ("--segment-mib", "1", "--snapshot-mib", "2", "--keep-mib", "1")


def report(text: str) -> None:
    print(f"members: {text}", file=sys.stderr, flush=True)


class ChangingCluster(Cluster):
    """A cluster that servers join and leave: one thread kills and starts servers, another one changes the members."""

    def __init__(self, kv: str, directory: Path, places: dict[int, Place]):
        super().__init__(kv, directory, places, OPTIONS)
        self.lock = threading.RLock()  # Held while a process is started or ended.
        self.joined: set[int] = set()

    def words(self, server: int) -> tuple[str, ...]:
        place = self.places[server]
        moved = ("--peer-address", f"{server}={place.host}:{place.peer_port}") if server in self.joined else ()
        return super().words(server) + moved

    def stop(self, server: int) -> int:
        """The exit code; that of SIGKILL if SIGTERM was not enough."""
        with self.lock:
            process = self.processes.pop(server)
            process.terminate()
            try:
                return process.wait(STEP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()

    def running(self) -> list[int]:
        with self.lock:
            return list(self.processes)

    def join(self, server: int) -> None:
        """Makes and starts a server that is to be let in."""
        cluster_id = self.info(self.leader())["raft_cluster_id"]
        self.places = self.places | {server: local_places(1)[1]}
        self.joined.add(server)
        sh(self.kv, "init", "--join", "--cluster-id", cluster_id, "--id", str(server), "--dir", self.data(server))
        with self.lock:
            self.start(server)
        await_that(f"server {server} waits", lambda: self.info(server).get("raft_membership") == "waits_to_be_let_in")

    def leave(self, server: int) -> int:
        """Stops a server that was removed, if it was not killed already, and forgets it."""
        with self.lock:
            code = self.stop(server) if server in self.processes else 0
            self.places = {one: place for one, place in self.places.items() if one != server}
            shutil.rmtree(self.data(server), ignore_errors=True)
        return code


class Killer(threading.Thread):
    """Kills a server, starts it again, waits until it has caught up, and so on: one at a time is missing."""

    def __init__(self, cluster: ChangingCluster, draw: random.Random):
        super().__init__(daemon=True)
        self.cluster = cluster
        self.draw = draw
        self.goes_on = threading.Event()
        self.is_over = threading.Event()
        self.is_idle = threading.Event()
        self.change_begins = threading.Event()
        self.kills = 0
        self.leaders = 0
        self.failure: str | None = None

    def run(self) -> None:
        try:
            while not self.is_over.is_set():
                if not self.goes_on.wait(0.1):
                    self.is_idle.set()
                    continue
                self.is_idle.clear()
                self.change_begins.clear()
                self.change_begins.wait(self.draw.uniform(0.1, 1.0))
                time.sleep(self.draw.uniform(0.0, self.draw.choice((0.005, 0.2))))  # A removal takes some ms only.
                self.kill_one()
        except Exception as error:  # The thread that changes the members ends the run.
            self.failure = f"{type(error).__name__}: {error}"

    def leader_now(self) -> int | None:
        return next((one for one in self.cluster.running() if self.cluster.info(one).get("raft_role") == "leader"), None)

    def kill_one(self) -> None:
        leader = self.leader_now()
        wanted = leader if self.draw.random() < 0.5 else self.draw.choice(self.cluster.running())
        with self.cluster.lock:
            if wanted is None or wanted not in self.cluster.processes:
                return
            self.cluster.kill(wanted)
        self.kills += 1
        self.leaders += wanted == leader
        time.sleep(self.draw.uniform(0.1, 1.0))
        with self.cluster.lock:
            if self.is_over.is_set() or wanted not in self.cluster.places:  # It was removed meanwhile.
                return
            self.cluster.start(wanted)
        await_that(f"server {wanted} comes back", lambda: self.is_back(wanted))

    def is_back(self, server: int) -> bool:
        if self.is_over.is_set() or server not in self.cluster.places:
            return True
        info = self.cluster.info(server)
        leader = self.leader_now()
        if leader is None or info.get("raft_membership") in ("removed", "waits_to_be_let_in"):
            return leader is not None
        committed = self.cluster.index(leader, "raft_commit")
        return info.get("loading") == "0" and int(info.get("raft_applied", 0)) + 100 >= committed > 0

    def pause(self) -> None:
        self.goes_on.clear()
        self.is_idle.clear()
        await_that("a killed server comes back", lambda: self.is_idle.is_set() or self.failure is not None)
        if self.failure is not None:
            raise RuntimeError(self.failure)


class Operator:
    """Changes the members: asks whoever leads, and asks again until it is done."""

    def __init__(self, cluster: ChangingCluster, killer: Killer):
        self.cluster = cluster
        self.killer = killer
        self.answers: Counter[str] = Counter()

    def ask(self, server: int, *words: str) -> str:
        try:
            with self.cluster.client(server, STEP_S_MAX) as client:
                answer = client.ask(*(word.encode() for word in words))
        except OSError as error:
            answer = f"no answer: {type(error).__name__}"
        if answer != "+OK":
            self.answers[f"{words[0]}: {answer.split(':')[0][:60]}"] += 1
        return answer

    def change(self, what: str, step: Callable[[int, dict[str, str]], bool]) -> None:
        """Calls `step` with the leader and its INFO, while no change is under way, until it is content."""
        self.killer.change_begins.set()
        deadline = time.monotonic() + STEP_S_MAX
        while time.monotonic() < deadline:
            if self.killer.failure is not None:
                raise RuntimeError(self.killer.failure)
            leader = self.cluster.leader()
            info = self.cluster.info(leader)
            if info.get("raft_role") == "leader" and info.get("raft_change") == "idle" and step(leader, info):
                return
            time.sleep(0.02)
        raise TimeoutError(f"{what}: not within {STEP_S_MAX:.0f} s")

    def add(self, server: int) -> None:
        place = self.cluster.places[server]

        def step(leader: int, info: dict[str, str]) -> bool:
            if str(server) in info["raft_voters"].split(","):
                return True
            if str(server) in info["raft_learners"].split(","):  # The leader that let it in is gone.
                return self.ask(leader, "RAFT.PROMOTE", str(server)) == "+OK"
            return self.ask(leader, "RAFT.ADD", str(server), f"{place.host}:{place.peer_port}") == "+OK"

        self.change(f"server {server} is let in", step)

    def remove(self, server: int) -> None:
        def step(leader: int, info: dict[str, str]) -> bool:
            if str(server) not in info["raft_voters"].split(",") + info["raft_learners"].split(","):
                return True
            return self.ask(leader, "RAFT.REMOVE", str(server)) == "+OK"

        self.change(f"server {server} is let out", step)

    def lead(self, server: int) -> None:
        def step(leader: int, _: dict[str, str]) -> bool:
            if leader != server:
                self.ask(leader, "RAFT.TRANSFER", str(server))
            return leader == server

        self.change(f"server {server} leads", step)


class Run:
    def __init__(self, kv: str, directory: Path, seed: int):
        self.cluster = ChangingCluster(kv, directory, local_places(3))
        self.draw = random.Random(seed)
        self.members = [1, 2, 3]
        self.newest = 3
        self.lost: set[str] = set()
        self.rows: list[dict[str, object]] = []
        self.bad_exits: list[str] = []
        self.load = Load(self.cluster)
        self.killer = Killer(self.cluster, self.draw)
        self.operator = Operator(self.cluster, self.killer)

    def begin(self) -> None:
        self.cluster.start_all()
        self.cluster.leader()
        self.killer.start()

    def add(self) -> int:
        self.newest += 1
        time.sleep(self.draw.uniform(0.0, 1.0))
        self.cluster.join(self.newest)
        self.operator.add(self.newest)
        return self.newest

    def let_out(self, server: int) -> None:
        time.sleep(self.draw.uniform(0.0, 1.0))
        self.operator.remove(server)
        code = self.cluster.leave(server)
        if code not in (0, -signal.SIGTERM):  # The latter if it was started again just now.
            self.bad_exits.append(f"server {server}: {code}")

    def round(self, number: int) -> None:
        before = [self.load.acknowledged(), self.killer.kills, self.killer.leaders]
        skipped = [len(writer.waits_s) for writer in self.load.writers]
        began = time.monotonic()
        self.load.go_on()
        self.killer.goes_on.set()
        old = self.draw.sample(self.members, 3)
        new = [self.add(), self.add()]
        self.let_out(old[0])
        new.append(self.add())
        self.let_out(old[1])
        self.let_out(old[2])
        self.members = new
        self.killer.pause()
        self.load.pause()
        changed = time.monotonic()
        lost = self.verify()
        waits = self.load.waits_ms(skipped)
        row = {
            "round": number,
            "members": ",".join(map(str, new)),
            "changing_s": round(changed - began, 1),
            "reading_s": round(time.monotonic() - changed, 1),
            "kills": self.killer.kills - before[1],
            "of_leaders": self.killer.leaders - before[2],
            "acknowledged": self.load.acknowledged() - before[0],
            "p99_ms": round(waits[len(waits) * 99 // 100], 1),
            "longest_ms": round(waits[-1], 1),
            "lost": lost,
        }
        self.rows.append(row)
        report(", ".join(f"{name} {value}" for name, value in row.items()))

    def verify(self) -> int:
        """Reads all that was acknowledged at each member; how many keys are lost."""
        voters = self.cluster.info(self.cluster.leader())["raft_voters"]
        if sorted(map(int, voters.split(","))) != sorted(self.members):
            raise RuntimeError(f"the voters are {voters}, not {self.members}")
        keys = self.load.keys()
        lost: set[str] = set()
        for server in self.members:
            lost.update(self.missing_at(server, keys))
        self.lost |= lost
        return len(lost)

    def missing_at(self, server: int, keys: list[bytes]) -> list[str]:
        deadline = time.monotonic() + STEP_S_MAX
        while True:
            self.operator.lead(server)
            try:
                return missing(self.cluster, server, keys)
            except OSError as error:  # It leads no more.
                report(f"server {server} is read again: {error}")
                if time.monotonic() > deadline:
                    raise

    def plant_loss(self) -> None:
        """All disks go back to what they were: what is written meanwhile is lost."""
        for copies in (False, True):
            for server in self.members:
                self.cluster.kill(server)
            for server in self.members:
                data, copy = Path(self.cluster.data(server)), Path(f"{self.cluster.data(server)}.copy")
                shutil.rmtree(data if copies else copy, ignore_errors=True)
                shutil.copytree(copy if copies else data, data if copies else copy)
            for server in self.members:
                self.cluster.start(server)
            self.cluster.leader()
            if not copies:
                self.load.go_on()
                time.sleep(1)
                self.load.pause()
        report(f"planted: {self.verify()} keys are lost")

    def plant_stall(self) -> None:
        self.load.go_on()
        stopped = [self.cluster.processes[server] for server in self.members[:2]]
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        time.sleep(STALL_S)
        for process in stopped:
            process.send_signal(signal.SIGCONT)
        self.load.pause()
        report(f"planted: a write took {self.load.longest_ms():.0f} ms")

    def end(self) -> None:
        self.killer.is_over.set()
        self.load.end()
        if self.killer.is_alive():
            self.killer.join(STEP_S_MAX)
        self.cluster.stop_all()

    def result(self) -> dict[str, object]:
        waits = self.load.waits_ms()
        answers: Counter[str] = Counter()
        for writer in self.load.writers:
            answers += writer.answers
        return {
            "rounds": self.rows,
            "acknowledged": self.load.acknowledged(),
            "lost": len(self.lost),
            "examples_of_lost": sorted(self.lost)[:5],
            "changes": self.newest - 3 + 3 * len(self.rows),
            "kills": self.killer.kills,
            "of_leaders": self.killer.leaders,
            "median_ms": round(waits[len(waits) // 2], 2) if waits else None,
            "p99_ms": round(waits[len(waits) * 99 // 100], 1) if waits else None,
            "p9999_ms": round(waits[len(waits) * 9999 // 10000], 1) if waits else None,
            "longest_ms": round(self.load.longest_ms(), 1),
            "longest_allowed_ms": UNANSWERED_S_MAX * 1000,
            "other_answers": dict(answers.most_common(12)),
            "answers_to_changes": dict(self.operator.answers.most_common(12)),
            "bad_exits": self.bad_exits,
        }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -B tests/weather/members.py")
    parser.add_argument("--kv", required=True)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seconds-max", type=float, default=3600, help="no round begins after that")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of who is killed and let out, and when")
    parser.add_argument("--plant", choices=("loss", "stall"), help="a fault that must be found")
    parser.add_argument("--dir", help="where the logs are written (default: the directory of the build)")
    parser.add_argument("--keep", action="store_true", help="keeps the directories and what the servers printed")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    kv = str(Path(options.kv).resolve())
    directory = Path(tempfile.mkdtemp(prefix="members.", dir=options.dir or Path(kv).parents[1]))
    run = Run(kv, directory / "cluster", options.seed)
    error = None
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # The servers end, too.
    try:
        run.begin()
        while len(run.rows) < options.rounds and time.monotonic() - began < options.seconds_max:
            run.round(len(run.rows) + 1)
        if options.plant == "loss":
            run.plant_loss()
        if options.plant == "stall":
            run.plant_stall()
    except (OSError, RuntimeError, TimeoutError, KeyError) as failure:
        error = f"{type(failure).__name__}: {failure}"
    finally:
        run.end()
        if options.keep or error is not None:
            report(f"the logs are kept in {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    result = {"seed": options.seed} | run.result()
    result["error"] = error
    result["seconds"] = round(time.monotonic() - began)
    result["ok"] = (
        error is None
        and len(run.rows) == options.rounds
        and not run.lost
        and not run.bad_exits
        and run.load.longest_ms() <= UNANSWERED_S_MAX * 1000
    )
    print(json.dumps(result, indent=2))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
