# SPDX-License-Identifier: BSL-1.0
"""Rewrites the tables of results in docs/testing.md: see tests/results.sh."""

import argparse
import datetime
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DOCUMENT = TOP / "docs" / "testing.md"
BUILD = TOP / "build" / "release"
TABLE = re.compile(r"<!-- results of (\w+) -->\n(.*?)<!-- end of \1 -->", re.DOTALL)
ROW = re.compile(r"^\| `([^`]+)` \|")


def figures_of(program: str, out: dict, minutes: float) -> list:
    """The fields between the command and the commit, in the order of the table's head."""
    if program == "explore":
        assert out["completed"], "the whole scope was gone through"
        return [out["distinct_states"], out["transitions"], out["depth"], round(out["bytes_per_state"])]
    if program == "simulate":
        return [out["events"], out["simulated_seconds"] // 3600, out["answered"], len(out["failures"]), f"`{out['hash']}`"]
    if program == "crash_images":
        return [out[name] for name in ("distinct_images", "distinct_after_recycling", "crash_points", "crash_points_sampled",
                                       "second_crash_points", "second_crash_points_sampled")] + [len(out["broken"])]  # fmt: skip
    killed = sum(mutant["killed"] for mutant in out["mutants"])
    return [killed, len(out["mutants"]) - killed, round(minutes)]


def run(program: str, command: str) -> list:
    """Runs a command with `--json`. Ends this script if it fails, so that no row is written."""
    name, *arguments = command.split()
    if program == "mutants":
        start = ["bash", "tests/mutants.sh"]
    else:
        start = [str(BUILD / "tests" / name)]
        subprocess.run(["cmake", "-C", ".cmake/release.cmake", "-B", BUILD, "-G", "Ninja", "-DTOTORA_BENCHMARKS=OFF"],
                       cwd=TOP, check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        subprocess.run(["cmake", "--build", BUILD, "--target", name], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "out.json"
        started = time.monotonic()
        code = subprocess.run([*start, *arguments, "--json", str(file)], cwd=TOP).returncode
        if code != 0:
            sys.exit(f"{command}: exit code {code}; its row stays as it is")
        return figures_of(program, json.loads(file.read_text()), (time.monotonic() - started) / 60)


def fields_of(row: str) -> list[str]:
    return [field.strip() for field in row.strip("|").split("|")]


def sum_of(rows: list[str], head: str) -> str:
    """A row of the sums of the first figure, as tests/tidy.cpp checks it. A row that was never run counts for nothing."""
    total = sum(int(fields_of(row)[1].replace(",", "") or 0) for row in rows)
    return f"| all {len(rows)} | {total:,} |" + " |" * (len(fields_of(head)) - 2)


def with_row(text: str, program: str, command: str, figures: list, commit: str) -> str:
    """The document with another row for this command."""
    fields = [f"`{command}`", *(f"{figure:,}" if isinstance(figure, int) else str(figure) for figure in figures),
              commit, datetime.date.today().isoformat()]  # fmt: skip

    def rewritten(table: re.Match) -> str:
        if table[1] != program:
            return table[0]
        lines = table[2].splitlines()
        rows = [line for line in lines[2:] if ROW.match(line)]
        rows = ["| " + " | ".join(fields) + " |" if ROW.match(row)[1] == command else row for row in rows]
        sums = [sum_of(rows, lines[0])] if any(line.startswith("| all ") for line in lines) else []
        return f"<!-- results of {program} -->\n" + "\n".join([*lines[:2], *rows, *sums]) + f"\n<!-- end of {program} -->"

    return TABLE.sub(rewritten, text)


def committed() -> str:
    """The commit of the tree that is about to be run."""
    git = ["git", "-C", str(TOP)]
    changed = subprocess.run([*git, "status", "--porcelain", "--", "include", "tests"], capture_output=True, text=True)
    if changed.returncode != 0 or changed.stdout:
        sys.exit("Commit first: a row names the commit that was run.")
    return subprocess.run([*git, "rev-parse", "--short=7", "HEAD"], capture_output=True, text=True).stdout.strip()


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bash tests/results.sh")
    parser.add_argument("--only", metavar="WORD", help="a word of the command")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args(words)
    commands = [(table[1], row[1]) for table in TABLE.finditer(DOCUMENT.read_text())
                for row in map(ROW.match, table[2].splitlines()) if row]  # fmt: skip
    if not options.only and not options.all:
        print("\n".join(command for _, command in commands))
        return 0
    wanted = [one for one in commands if options.all or options.only in one[1].split()]
    if not wanted:
        print(f"No row has the word {options.only} in its command.")
        return 2
    commit = committed()
    for program, command in wanted:
        figures = run(program, command)
        DOCUMENT.write_text(with_row(DOCUMENT.read_text(), program, command, figures, commit))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
