# SPDX-License-Identifier: BSL-1.0
"""A mutant: a wrong implementation, written as a small edit of the shipped headers, or of the example server kv.

The file of a mutant reads like a diff without numbers:

    # SPDX-License-Identifier: BSL-1.0
    what: A granted vote leaves before it is durable.
    case: 1
    killers: cases/votes.cpp, explore two-elections
    file: core/rules/election.hpp
    -         granted ? once_term_durable(voter) : Release::at_once());
    +         Release::at_once());

`killers` are tried first. Lines with `-` and with a blank must stand in the file, next to each other and exactly once; `-` goes,
`+` comes. `file` begins an edit, also a second one of the same file; it is a path below include/totora, or one that begins with
`docs/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
HEADERS = TOP / "include" / "totora"
CASES = TOP / "tests" / "mutants" / "cases"


class DoesNotApply(Exception):
    """An edit whose text does not stand exactly once where it should."""


def place_of(file: str) -> Path:
    """Where the file of an edit stands."""
    return (TOP if file.startswith("docs/") else HEADERS) / file


@dataclass(frozen=True)
class Edit:
    """Replaces `before`, which is whole lines, by `after`."""

    file: str
    before: str
    after: str

    def apply(self, text: str) -> str:
        found = ("\n" + text).count("\n" + self.before)
        if found != 1:
            raise DoesNotApply(f"{self.file}: stands there {found} times:\n{self.before}")
        return ("\n" + text).replace("\n" + self.before, "\n" + self.after)[1:]


@dataclass(frozen=True)
class Mutant:
    name: str
    what: str
    case: int | None  # None: generated.
    killers: tuple[str, ...]
    edits: tuple[Edit, ...]

    def mutated(self) -> dict[str, str]:
        """The texts that differ, by `file`."""
        texts: dict[str, str] = {}
        for edit in self.edits:
            text = texts.get(edit.file) or place_of(edit.file).read_text()
            texts[edit.file] = edit.apply(text)
        return texts


def read_mutant(path: Path) -> Mutant:
    fields = {"what": "", "case": "", "killers": ""}
    edits: list[tuple[str, list[str]]] = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        name, colon, value = line.partition(": ")
        if line.startswith("#"):
            continue
        if edits and line[:1] in ("-", "+", " "):
            edits[-1][1].append(line)
        elif colon and name == "file":
            edits.append((value, []))
        elif colon and name in fields:
            fields[name] = value
        else:
            raise DoesNotApply(f"{path.name}:{number} is not understood: {line}")
    if not edits or not fields["what"] or not fields["case"].isdigit():
        raise DoesNotApply(f"{path.name} must give what, case and file")
    killers = tuple(killer.strip() for killer in fields["killers"].split(",") if killer.strip())
    return Mutant(path.stem, fields["what"], int(fields["case"]), killers, tuple(edit_of(*edit) for edit in edits))


def edit_of(file: str, lines: list[str]) -> Edit:
    def text_of(marks: str) -> str:
        return "".join(line[1:] + "\n" for line in lines if line[0] in marks)

    return Edit(file, text_of("- "), text_of("+ "))


def case_mutants() -> list[Mutant]:
    return [read_mutant(path) for path in sorted(CASES.glob("*.mutant"))]
