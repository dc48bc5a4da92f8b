# SPDX-License-Identifier: BSL-1.0
"""What can notice a mutant: the proofs of one test file, its tests at run time, the explorer, the simulator.

Each is asked with an overlay, a folder that stands before include/ and holds only the mutated headers. Every answer is kept in
build/mutants, by what it depends on: the files that the killer includes, and the mutated ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from core_alone import is_core_alone, write_core
from mutant import TOP, Mutant, place_of

BUILD = TOP / "build" / "mutants"
TESTS = TOP / "tests"
KV = TOP / "docs" / "examples" / "kv"
COMPILER = ["g++-12" if shutil.which("g++-12") else "g++", "-std=c++20", "-w", "-fmax-errors=2"]
PROOF_LIMITS = ["-fconstexpr-ops-limit=1000000000", "-fconstexpr-loop-limit=10000000"]
MEMORY_KIB = 6 << 20
SECONDS_MAX = 240
SEARCH_SECONDS_MAX = 600  # What is not found by then counts as not found.
SIMULATION_SECONDS_MAX = 90  # The same; 100 seeds take 6 seconds.
SHORT_SEARCH_SECONDS_MAX = 45  # The same, of a search of few states.
INCLUDE = re.compile(r'^#include [<"]((?:totora|support)/[^>"]+|[a-z_]+\.hpp)[>"]', re.MULTILINE)
PREFIX = "boost/test/unit_test.hpp algorithm array compare concepts functional map memory optional span string variant vector"


@dataclass(frozen=True)
class Answer:
    verdict: str  # "killed", "survived", or "invalid": the mutant is no program.
    printed: str  # The first words that the killer printed.
    seconds: float


def run(command: list[str], seconds: float) -> tuple[int | None, str]:
    """The exit code, None if it had to be stopped; and what it printed."""
    limited = ["bash", "-c", f'ulimit -v {MEMORY_KIB} -c 0; exec "$@"', "bash", *command]
    process = subprocess.Popen(
        limited, cwd=TOP, env={**os.environ, "LC_ALL": "C"}, text=True, errors="replace", start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        printed, _ = process.communicate(timeout=seconds)
        return process.returncode, printed
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return None, f"did not end within {seconds:.0f} s"


# --- What an answer depends on --------------------------------------------------------------------------------------


@lru_cache(maxsize=None)
def includes_of(path: Path) -> tuple[Path, ...]:
    found = []
    for name in INCLUDE.findall(path.read_text()):
        for folder in (path.parent, TOP / "include", TESTS):
            if (folder / name).is_file():
                found.append((folder / name).resolve())
                break
    return tuple(found)


@lru_cache(maxsize=None)
def dependencies_of(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files, and all that they include, directly or not."""
    seen: set[Path] = set()
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting.extend(includes_of(path))
    return tuple(sorted(seen))


@lru_cache(maxsize=None)
def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def key_of(name: str, sources: tuple[Path, ...], mutant: Mutant | None) -> str:
    mutated = mutant.mutated() if mutant else {}
    digest = hashlib.sha256(name.encode())
    for path in dependencies_of(sources):
        digest.update(f"{path.relative_to(TOP)} {digest_of(path)}\n".encode())
    for file, text in sorted(mutated.items()):
        digest.update(f"{file}\n{text}".encode())
    return digest.hexdigest()[:24]


# --- The killers ----------------------------------------------------------------------------------------------------


class Killer:
    """Something that is asked whether it notices a mutant."""

    name: str
    sources: tuple[Path, ...]

    def attempt(self, overlay: Path, work: Path) -> tuple[str, str]:
        raise NotImplementedError

    def sees(self, mutant: Mutant) -> bool:
        """Whether it includes what the mutant changes."""
        reached = set(dependencies_of(self.sources))
        return any(place_of(edit.file) in reached for edit in mutant.edits)

    def ask(self, mutant: Mutant | None) -> Answer:
        """Asks about a mutant, or about the headers as they are; or remembers what was answered before."""
        kept = BUILD / "answers" / f"{key_of(self.name, self.sources, mutant)}.json"
        if kept.exists():
            return Answer(**json.loads(kept.read_text()))
        started = time.monotonic()
        (BUILD / "work").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD / "work") as work:
            overlay = Path(work) / "include"
            overlay.mkdir()
            for file, text in (mutant.mutated() if mutant else {}).items():
                place = (Path(work) if file.startswith("docs/") else overlay / "totora") / file
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
            verdict, printed = self.attempt(overlay, Path(work))
        answer = Answer(verdict, printed, round(time.monotonic() - started, 1))
        kept.parent.mkdir(parents=True, exist_ok=True)
        temporary = kept.with_suffix(f".{threading.get_ident()}")
        temporary.write_text(json.dumps(asdict(answer)))
        temporary.rename(kept)
        return answer

    def kills(self, mutant: Mutant) -> Answer:
        """As `ask`, but a killer that complains of the headers as they are decides nothing about a mutant."""
        answer = self.ask(mutant)
        if answer.verdict == "killed" and self.ask(None).verdict != "survived":
            return Answer("survived", f"{self.name} also fails without the mutant", answer.seconds)
        return answer


ERROR = re.compile(r"^(\S+?):\d+:\d+: (?:fatal )?error: (.*)$", re.MULTILINE)
FAILED_PROOF = re.compile(r"non-constant condition for static assertion|static assertion failed")
NOT_CONSTANT = re.compile(
    r"call to non-'constexpr' function|is not a constant expression|in a constant expression|'constexpr' .*(limit|depth)"
    r"|overflow|outside the bounds|outside array bounds|dereferencing|is not usable in|accessing|division by zero|uninitialized|"
    r"past (the|one)|null pointer|was deleted|not been deallocated|modifying a const"
)


def judge_compilation(status: int | None, printed: str) -> tuple[str, str]:
    """A compile error counts only if it is a failed proof: a static_assert of a test, and what the evaluation ran into."""
    if status == 0:
        return "survived", ""
    if status is None:
        return "killed", "the proof does not end"
    errors = ERROR.findall(printed)
    proofs = [file for file, words in errors if FAILED_PROOF.search(words) and "/tests/" in "/" + file]
    others = [words for _, words in errors if not FAILED_PROOF.search(words) and not NOT_CONSTANT.search(words)]
    if not proofs or others:
        return "invalid", (others or [printed[-300:]])[0]
    proof = re.search(r"TOTORA_PROVE\((\w+)", printed)
    return "killed", proof.group(1) if proof else "a static_assert"


def compile_command(overlay: Path) -> list[str]:
    return [*COMPILER, f"-I{overlay}", f"-I{TOP / 'include'}", f"-I{TESTS}"]


_prefix_lock = threading.Lock()


def prefix() -> Path:
    """Boost.Test and what tests include of the standard library, compiled once. Nothing of totora."""
    header = BUILD / "prefix" / "prefix.hpp"
    with _prefix_lock:
        compiled = header.with_suffix(".hpp.gch")
        if not compiled.exists():
            header.parent.mkdir(parents=True, exist_ok=True)
            header.write_text("".join(f"#include <{name}>\n" for name in PREFIX.split()))
            half = header.with_suffix(".half")
            subprocess.run([*COMPILER, *PROOF_LIMITS, "-x", "c++-header", header, "-o", half], check=True)
            half.rename(compiled)
    return header


@lru_cache(maxsize=None)
def test_main() -> Path:
    with _prefix_lock:
        built = BUILD / "prefix" / "main.o"
        if not built.exists():
            built.parent.mkdir(parents=True, exist_ok=True)
            half = built.with_suffix(".half")
            subprocess.run([*COMPILER, "-c", TESTS / "main.cpp", "-o", half], check=True)
            half.rename(built)
    return built


def compiled_support(text: str) -> list[Path]:
    """What a test shares that is compiled by itself."""
    headers = re.findall(r'^#include "support/(\w+)\.hpp"', text, re.MULTILINE)
    return [source for name in headers if (source := TESTS / "support" / f"{name}.cpp").exists()]


class TestFile(Killer):
    """One file of tests: its proofs by the compiler; and if it has tests that only run, those too."""

    def __init__(self, path: str):
        self.name = path
        file = TESTS / path
        text = file.read_text()
        self.sources = (file, *compiled_support(text))
        self.only_proofs = not re.search(r"\bBOOST_(AUTO|FIXTURE|DATA)_TEST_CASE", text)

    def attempt(self, overlay: Path, work: Path) -> tuple[str, str]:
        command = [*compile_command(overlay), *PROOF_LIMITS, "-include", str(prefix())]
        if self.only_proofs:
            return judge_compilation(*run([*command, "-fsyntax-only", str(self.sources[0])], SECONDS_MAX))
        command.append("-O2" if self.name == "core/totality.cpp" else "-O0")
        objects = [str(test_main())]
        for number, source in enumerate(self.sources):
            objects.append(str(work / f"{number}.o"))
            verdict, printed = judge_compilation(*run([*command, "-c", str(source), "-o", objects[-1]], SECONDS_MAX))
            if verdict != "survived":
                return verdict, printed
        status, printed = run([COMPILER[0], *objects, "-pthread", "-o", str(work / "tests")], SECONDS_MAX)
        if status != 0:
            return "invalid", printed[-300:]
        status, printed = run([str(work / "tests")], SECONDS_MAX)
        if status == 0:
            return "survived", ""
        failed = re.search(r'error: in "([^"]+)"', printed)
        return "killed", failed.group(1) if failed else printed.strip()[-200:]


class ProcessTestFile(Killer):
    """One file of tests/process, with the server kv that it starts. Both are compiled from a copy, where a mutant of kv stands."""

    def __init__(self, path: str):
        self.name = path
        self.file = TESTS / path
        text = self.file.read_text()
        self.support = compiled_support(text)
        self.sources = (self.file, *self.support, *sorted(KV.rglob("*.[ch]pp")), *sorted((TESTS / "process").glob("*.hpp")))
        self.starts_kv = '"process/kv_' in text

    def attempt(self, overlay: Path, work: Path) -> tuple[str, str]:
        copied = [*KV.rglob("*.[ch]pp"), *(TESTS / "process").glob("*.hpp"), self.file]
        for source in copied:
            place = work / source.relative_to(TOP)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                shutil.copy(source, place)
        kv = work / "kv"
        command = [COMPILER[0], f"-I{work / 'tests'}", *compile_command(overlay)[1:], f'-DTOTORA_KV="{kv}"', "-pthread"]
        if self.starts_kv:
            sources = [str(path) for path in sorted((work / KV.relative_to(TOP)).glob("*.cpp"))]
            status, printed = run([*command, *sources, "-o", str(kv)], SECONDS_MAX)
            if status != 0:
                return "invalid", printed[-300:]
        tests = [str(work / self.file.relative_to(TOP)), *map(str, self.support), str(test_main())]
        status, printed = run([*command, *tests, "-o", str(work / "tests_program")], SECONDS_MAX)
        if status != 0:
            return "invalid", printed[-300:]
        status, printed = run([str(work / "tests_program")], SECONDS_MAX)
        if status == 0:
            return "survived", ""
        failed = re.search(r'error: in "([^"]+)"', printed)
        return "killed", failed.group(1) if failed else printed.strip()[-200:]


class Program(Killer):
    """A program that is compiled with the mutant and searches by itself: it ends with 1 if it has found something."""

    def __init__(self, name: str, main: str, options: list[str]):
        self.name = name
        self.sources = (TESTS / main,)
        self.options = options
        self.seconds_max = SHORT_SEARCH_SECONDS_MAX if "--limit-states" in options else SEARCH_SECONDS_MAX

    def attempt(self, overlay: Path, work: Path) -> tuple[str, str]:
        program = self.compiled(overlay, work)
        if isinstance(program, str):
            return "invalid", program
        return self.searched(program)

    def searched(self, program: Path) -> tuple[str, str]:
        return self.judge_search(*run([str(program), *self.options], self.seconds_max))

    def judge_search(self, status: int | None, printed: str) -> tuple[str, str]:
        if status is None or status == 0:
            return "survived", "" if status == 0 else printed
        if status == 2:
            return "invalid", printed[-300:]
        if status < 0:
            return "killed", f"ended by signal {-status}"
        found = re.search(r"^(Does not hold: .*|.*[Ss]eed \d+.*)$", printed, re.MULTILINE)
        states = re.search(r": (\d+) states, ", printed)
        after = f"after {states.group(1)} states: " if states else ""
        return "killed", after + (found.group(1) if found else printed.strip()[-200:])

    def compiled(self, overlay: Path, work: Path) -> Path | str:
        """The program, kept from one question to the next about the same mutant; or why there is none."""
        overlaid = sorted(path for path in overlay.rglob("*.hpp"))
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in overlaid))
        digest.update(key_of(str(self.sources[0]), self.sources, None).encode())
        kept = BUILD / "programs" / digest.hexdigest()[:24]
        if kept.exists():
            return kept
        kept.parent.mkdir(parents=True, exist_ok=True)
        half = work / "program"
        command = [*compile_command(overlay), "-O1", str(self.sources[0]), "-o", str(half), "-pthread"]
        status, printed = run(command, SECONDS_MAX)
        if status != 0:
            return printed[-300:]
        half.rename(kept)
        for old in sorted(kept.parent.iterdir(), key=lambda path: path.stat().st_mtime)[:-16]:
            old.unlink(missing_ok=True)
        return kept


class Simulator(Program):
    """The simulator: ends with the first seed that fails. Of a mutant of the core alone only the core is compiled."""

    def __init__(self, name: str, seeds: str, options: list[str]):
        super().__init__(name, "simulate/main.cpp", options)
        self.seconds_max = SIMULATION_SECONDS_MAX
        self.asked: Mutant | None = None
        self.first, self.last = (int(number) for number in seeds.split(".."))

    def ask(self, mutant: Mutant | None) -> Answer:
        self.asked = mutant
        return super().ask(mutant)

    def searched(self, program: Path) -> tuple[str, str]:
        """A few seeds first, then more and more of them; each is a run of its own."""
        ends_at = time.monotonic() + self.seconds_max
        first, count = self.first, 2
        while first <= self.last:
            last = min(first + count - 1, self.last)
            command = [str(program), "--seeds", f"{first}..{last}", *self.options]
            verdict, printed = self.judge_search(*run(command, max(ends_at - time.monotonic(), 1)))
            if verdict != "survived" or printed:
                return verdict, printed
            first, count = last + 1, 2 * count
        return "survived", ""

    def compiled(self, overlay: Path, work: Path) -> Path | str:
        if self.asked is None or not is_core_alone(self.asked):
            return super().compiled(overlay, work)
        rest, core, program = self.rest(), work / "core.o", work / "program"
        everything = write_core(work / "used", "used", self.asked.mutated())
        command = [*compile_command(everything.parent), "-O1", "-c", str(everything), "-o", str(core)]
        status, printed = run(command, SECONDS_MAX)
        if status == 0:
            status, printed = run([COMPILER[0], str(core), str(rest), "-o", str(program), "-pthread"], SECONDS_MAX)
        return program if status == 0 else printed[-300:]

    def rest(self) -> Path:
        """All but the core, compiled once."""
        with _prefix_lock:
            kept = BUILD / "simulate" / f"{key_of('the rest', self.sources, None)}.o"
            if kept.exists():
                return kept
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
                everything = write_core(Path(folder), "noipa", {})
                half = Path(folder) / "rest.o"
                command = [*compile_command(everything.parent), "-O1", "-c", str(self.sources[0]), "-o", str(half)]
                subprocess.run(command, check=True)
                half.rename(kept)
            return kept


def killer_of(words: str) -> Killer:
    """`cases/votes.cpp`, `process/connection.cpp`, `explore SCOPE [OPTION...]` or `simulate A..B [OPTION...]`."""
    first, *rest = words.split()
    if first == "explore":
        return Program(words, "explore/main.cpp", ["--scope", *rest])
    if first == "simulate":
        return Simulator(words, rest[0], rest[1:])
    return ProcessTestFile(words) if words.startswith("process/") else TestFile(words)
