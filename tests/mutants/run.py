# SPDX-License-Identifier: BSL-1.0
"""Asks for each mutant who notices it. Started by tests/mutants.sh, which describes how."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from generate import generated_mutants, killers_by_relevance
from killers import TESTS, Killer, killer_of
from mutant import TOP, DoesNotApply, Mutant, case_mutants

LABEL = re.compile(r'"case_(\d+)"')
ALONE = {  # What a generated mutant is asked about; one of a case names its own searches, but is simulated all the same.
    "explore": (
        "explore two-elections-a-proposal-a-crash --limit-states 300000",
        "explore features-two-candidates --limit-states 100000",
        "explore a-read-across-a-leader-change --limit-states 100000",
        "explore a-joint-change",
        "explore one-of-three-is-removed --limit-states 100000",
        "explore two-elections-a-proposal-a-heartbeat --limit-states 200000",
        "explore three-elections-two-proposals-entry-by-entry --random 1 --limit-states 500000",
    ),
    "simulate": ("simulate 1..100",),
}


@dataclass(frozen=True)
class Result:
    mutant: Mutant
    verdict: str
    by: str
    printed: str
    seconds: float

    def line(self) -> str:
        if self.verdict == "killed":
            return f"{self.mutant.name}: killed by {self.by} in {self.seconds:.1f} s: {self.printed}"
        return f"{self.mutant.name}: {self.verdict.upper()} ({self.seconds:.1f} s) {self.printed}"

    def as_json(self) -> dict:
        return {
            "name": self.mutant.name,
            "case": self.mutant.case,
            "what": self.mutant.what,
            "killed": self.verdict == "killed",
            "by": self.by or None,
            "printed": self.printed,
            "seconds": self.seconds,
        }


def tests_of_case(case: int) -> list[str]:
    """The test files that carry the label of a case; what is only proofs first."""
    files = []
    for path in sorted(TESTS.glob("*/*.cpp")):
        folder = path.parent.name
        if folder in ("core", "paper", "cases", "node", "policy", "wire") and str(case) in LABEL.findall(path.read_text()):
            files.append(f"{folder}/{path.name}")
    return sorted(files, key=lambda name: name.split("/")[0] in ("node", "policy", "wire"))


def killers_of(mutant: Mutant, alone: str | None) -> list[Killer]:
    if alone == "explore" and mutant.case is not None:
        names = [name for name in mutant.killers if name.startswith(alone)]
    elif alone:
        names = list(ALONE[alone])
    elif mutant.case is not None:
        names = [*mutant.killers, *tests_of_case(mutant.case)]
    else:
        names = killers_by_relevance(mutant)
    killers = [killer_of(name) for name in dict.fromkeys(names)]
    return [killer for killer in killers if killer.sees(mutant)]


def judge(mutant: Mutant, alone: str | None) -> Result:
    """Asks one killer after the other, until one notices the mutant."""
    seconds = 0.0
    for killer in killers_of(mutant, alone):
        answer = killer.kills(mutant)
        seconds = round(seconds + answer.seconds, 1)
        if answer.verdict == "killed" or (answer.verdict == "invalid" and alone != "explore"):
            return Result(mutant, answer.verdict, killer.name, answer.printed, seconds)
    return Result(mutant, "survived", "", "", seconds)


def in_turn(mutants: list[Mutant], count: int) -> list[Mutant]:
    """Some of them, and with every commit the next ones."""
    log = subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=TOP, capture_output=True, text=True)
    commits = int(log.stdout) if log.returncode == 0 else 0
    first = commits * count % len(mutants)
    return (mutants[first:] + mutants[:first])[:count]


class Report:
    """Counts, and prints after each mutant how far it is."""

    def __init__(self, wanted: int):
        self.wanted = wanted
        self.results: list[Result] = []
        self.lock = threading.Lock()
        self.started = time.monotonic()

    def add(self, result: Result) -> None:
        with self.lock:
            self.results.append(result)
            passed = time.monotonic() - self.started
            left = passed / len(self.results) * max(self.wanted - len(self.results), 0)
            print(f"[{len(self.results)}/{self.wanted}, {left:.0f} s left] {result.line()}", flush=True)

    def of(self, verdict: str) -> list[Result]:
        return [result for result in self.results if result.verdict == verdict]


def judge_all(mutants: list[Mutant], alone: str | None, jobs: int) -> Report:
    report = Report(len(mutants))
    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(lambda mutant: report.add(judge(mutant, alone)), mutants):
            pass
    return report


def judge_generated(count: int, alone: str | None, jobs: int) -> Report:
    """As many as are wanted; an edit that is no program is passed over for the next one."""
    report = Report(count)
    waiting = iter(generated_mutants())
    with ThreadPoolExecutor(jobs) as pool:
        while (missing := count - len(report.results)) > 0:
            batch = [mutant for mutant, _ in zip(waiting, range(missing))]
            if not batch:
                break

            def judge_one(mutant: Mutant) -> None:
                # Whether it is a program is asked of a proof, also if the proofs are not to kill it. The simulator reports it itself.
                if alone == "simulate" or killers_of(mutant, None)[0].ask(mutant).verdict != "invalid":
                    result = judge(mutant, alone)
                    if result.verdict != "invalid" or alone == "explore":
                        report.add(result)

            list(pool.map(judge_one, batch))
    return report


def explained(result: Result) -> bool:
    survivors = TOP / "tests" / "mutants" / "survivors.md"
    return survivors.exists() and f"`{result.mutant.name}`" in survivors.read_text()


def conclude(report: Report, alone: str | None) -> int:
    """Names the survivors, and prints whether they are allowed to be."""
    survived, invalid = report.of("survived"), report.of("invalid")
    bad = len(invalid)
    for result in sorted(survived, key=lambda result: result.mutant.name):
        known = result.mutant.case is None and explained(result)
        bad += not known and not alone
        print(f"survived{', see survivors.md' if known else ''}: {result.mutant.name}\n    {result.mutant.what}")
    for result in invalid:
        print(f"does not compile, which is no proof: {result.mutant.name}: {result.printed}")
    print(f"{len(report.of('killed'))} killed, {len(survived)} survived")
    return 1 if bad or not report.results else 0


def cases_without_mutant(mutants: list[Mutant]) -> list[str]:
    """The cases that docs/cases.md lists as tested now, and that no mutant gets wrong."""
    rows = re.findall(r"^\| (\d+) \| [^|]* \| now \|", (TOP / "docs" / "cases.md").read_text(), re.MULTILINE)
    assert rows, "docs/cases.md has its table"
    mutated = {str(mutant.case) for mutant in mutants}
    return [row for row in rows if row not in mutated]


def find_unfit(mutants: list[Mutant]) -> list[str]:
    """Complaints about the edits that do not apply."""
    complaints = []
    for mutant in mutants:
        try:
            mutant.mutated()
        except DoesNotApply as complaint:
            complaints.append(f"{mutant.name}: {complaint}")
    return complaints


def check() -> int:
    """Whether every edit applies and every tested case has one, without asking anybody."""
    mutants = case_mutants()
    complaints = find_unfit(mutants)
    applied = len(mutants) - len(complaints)
    complaints += [f"case {number} is tested now and has no mutant" for number in cases_without_mutant(mutants)]
    for complaint in complaints:
        print(complaint)
    print(f"{applied} passed, {len(complaints)} failed")
    return 1 if complaints or not mutants else 0


def options_of(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bash tests/mutants.sh")
    parser.add_argument("--only", metavar="N", help="a case, or a word of the name")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--generate", metavar="N", type=int)
    parser.add_argument("--by", choices=sorted(ALONE), help="killed by this one alone")
    parser.add_argument("--turn", metavar="N", type=int)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--list", action="store_true", help="the generated edits in their order, without running them")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    options = options_of(words)
    if options.check:
        return check()
    if options.list:
        for mutant in list(generated_mutants())[: options.generate]:
            print(f"{mutant.name}: {mutant.what}")
        return 0
    jobs = int(os.environ.get("TOTORA_JOBS", os.cpu_count() or 1))
    if options.generate:
        report = judge_generated(options.generate, options.by, jobs)
    else:
        mutants = case_mutants()
        if options.only:
            mutants = [one for one in mutants if str(one.case) == options.only or
                       (not options.only.isdigit() and options.only in one.name)]  # fmt: skip
        if options.by == "explore":
            mutants = [one for one in mutants if killers_of(one, options.by)]
        if options.turn:
            mutants = in_turn(mutants, options.turn)
        if unfit := find_unfit(mutants):
            print("\n".join(unfit))
            return 1
        report = judge_all(mutants, options.by, jobs)
    if options.json:
        results = sorted(report.results, key=lambda result: result.mutant.name)
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"mutants": [result.as_json() for result in results]}, file, indent=1)
    return conclude(report, options.by)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
