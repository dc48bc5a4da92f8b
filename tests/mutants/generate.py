# SPDX-License-Identifier: BSL-1.0
"""Mutants made mechanically from the sources of the core: the same sources give the same mutants in the same order.

Each kind of edit is a pattern over the code without its comments. Taken in turn are the files, in each file the kinds, and of each
kind the edit whose digest comes first, so that an edit elsewhere in the sources does not change the choice much.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import zip_longest

from mutant import HEADERS, TOP, Edit, Mutant

CORE = HEADERS / "core"

# What a mutant must not touch: directives, assertions (which never fail, so that one less is no difference), declarations of
# comparisons, and names of outcomes.
LEFT_ALONE = re.compile(r"^\s*(#|//|static_assert|TOTORA_INVARIANT|template|using |friend |\")|operator|\\$")

Change = tuple[int, int, str]  # Replaces text[begin:end].


def closing(text: str, opening: int) -> int:
    """The position of the parenthesis that closes the one at `opening`."""
    depth = 0
    for at in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise ValueError("a parenthesis is not closed")


def conditions(text: str) -> Iterator[tuple[int, int]]:
    """Where the conditions of `if` and `while` stand, after a declaration if there is one."""
    for found in re.finditer(r"\b(if|while) \(", text):
        begin, end = found.end(), closing(text, found.end() - 1)
        declared = text.rfind(";", begin, end)
        begin = declared + 1 + len(text[declared + 1 : end]) - len(text[declared + 1 : end].lstrip()) if declared > 0 else begin
        if not re.match(r"auto\b", text[begin:end]):
            yield begin, end


def replacing(pattern: str, *replacements: str):
    def changes(text: str) -> Iterator[Change]:
        for found in re.finditer(pattern, text, re.MULTILINE):
            for replacement in replacements:
                yield found.start(), found.end(), found.expand(replacement)

    return changes


def guard_dropped(text: str) -> Iterator[Change]:
    return ((begin, end, "false") for begin, end in conditions(text))


def condition_negated(text: str) -> Iterator[Change]:
    return ((begin, end, f"not({text[begin:end]})") for begin, end in conditions(text))


def arguments_swapped(text: str) -> Iterator[Change]:
    """Of calls and initialisers with two plain arguments; where the order does not matter nothing changes."""
    for found in re.finditer(r"(\w+)([({])([\w.>*-]+), ([\w.>*-]+)([)}])", text):
        if found[1] not in ("min", "max", "State"):
            yield found.start(3), found.end(4), f"{found[4]}, {found[3]}"


def promise_at_once(text: str) -> Iterator[Change]:
    for found in re.finditer(r"(?<![\w:])(?:Release::)?once_(?:term_|log_)?durable\(", text):
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
        if "constexpr" not in line:
            yield found.start(), closing(text, found.end() - 1) + 1, "Release::at_once()"


LEFT_SIDE = r"(?:\*?(?:\w+(?:\[[^\]\n]*\])?(?:\.|->))+\w+(?:\[[^\]\n]*\])?|\*\w+|\w+_)"

KINDS = {
    "guard_dropped": guard_dropped,
    "condition_negated": condition_negated,
    "not_dropped": replacing(r"\bnot (?=[\w(])", ""),
    "and_or": lambda text: (*replacing(r" and ", " or ")(text), *replacing(r" or ", " and ")(text)),
    "bound_moved": lambda text: (
        *replacing(r" < (?!<)", " <= ")(text),
        *replacing(r" <= ", " < ")(text),
        *replacing(r" > ", " >= ")(text),
        *replacing(r" >= ", " > ")(text),
    ),
    "equal_unequal": lambda text: (*replacing(r" == ", " != ")(text), *replacing(r" != ", " == ")(text)),
    "off_by_one": lambda text: (
        *replacing(r" ([+-]) 1\b", r" \1 0")(text),
        *replacing(r"\bnext\((\w+(?:\.\w+)*(?:\(\w+\))?)\)", r"\1")(text),
        *replacing(r"\bbefore\((\w+(?:\.\w+)*(?:\(\w+\))?)\)", r"\1")(text),
    ),
    "min_max": lambda text: (*replacing(r"std::min\(", "std::max(")(text), *replacing(r"std::max\(", "std::min(")(text)),
    "arguments_swapped": arguments_swapped,
    "assignment_forgotten": replacing(rf"^ *(?:\+\+|--)?{LEFT_SIDE}(?: = [^;]*)?;\n", ""),
    "call_forgotten": replacing(r"^ {4,}(?!return\b)[a-z_]+(?:(?:\.|->)\w+)*\([^;]*\);\n", ""),
    "field_forgotten": replacing(r"\.\w+ = [^,{}()\n]*(?:\([^()\n]*\))?,(?: |\n +)", ""),
    "promise_at_once": promise_at_once,
    "true_false": lambda text: (*replacing(r"\btrue\b", "false")(text), *replacing(r"\bfalse\b", "true")(text)),
}


def whole_lines(text: str, change: Change) -> tuple[int, int]:
    begin, end, _ = change
    end = max(end - 1, begin)
    return text.rfind("\n", 0, begin) + 1, text.find("\n", end) + 1


def edit_of(file: str, text: str, change: Change) -> Edit | None:
    """The change as an edit of whole lines, with as much before it as makes it the only one; None if it is not to be made."""
    begin, end = whole_lines(text, change)
    if any(LEFT_ALONE.search(line) for line in text[begin:end].splitlines()):
        return None
    after = text[begin : change[0]] + change[2] + text[change[1] : end]
    while text.count("\n" + text[begin:end]) != 1:
        earlier = text.rfind("\n", 0, begin - 1) + 1
        after, begin = text[earlier:begin] + after, earlier
    return Edit(file, text[begin:end], after)


def mutant_of(kind: str, file: str, text: str, change: Change, edit: Edit) -> Mutant:
    """`text` is without comments, as the description of the mutant has it."""
    line = text.count("\n", 0, change[0]) + 1
    begin, end = whole_lines(text, change)
    before = " ".join(text[begin:end].split())
    after = " ".join((text[begin : change[0]] + change[2] + text[change[1] : end]).split())
    digest = hashlib.sha256(f"{kind}\n{edit.before}\n{edit.after}".encode()).hexdigest()
    stem = file.split("/")[-1].removesuffix(".hpp")
    what = f"{file}:{line}: {before}  =>  {after or '(nothing)'}"
    return Mutant(f"{stem}_{kind}_{digest[:6]}", what, None, (), (edit,))


def without_comments(text: str) -> str:
    """The same text, blanks where comments were."""
    return re.sub(r"//[^\n]*", lambda found: " " * len(found[0]), text)


def mutants_of_file(name: str) -> list[Mutant]:
    """All of one file, the kinds taken in turn."""
    file = f"core/{name}"
    text = (CORE / name).read_text()
    code = without_comments(text)
    by_kind = []
    for kind, changes in KINDS.items():
        edits = ((change, edit_of(file, text, change)) for change in changes(code))
        mutants = {one.name: one for one in (mutant_of(kind, file, code, c, e) for c, e in edits if e and e.before != e.after)}
        by_kind.append(sorted(mutants.values(), key=lambda mutant: mutant.name[-6:]))
    return [mutant for row in zip_longest(*by_kind) for mutant in row if mutant]


def generated_mutants() -> Iterator[Mutant]:
    """All that can be made, the files taken in turn. No two are the same text."""
    names = sorted(path.relative_to(CORE).as_posix() for path in CORE.rglob("*.hpp"))
    seen: set[tuple[str, str]] = set()
    for row in zip_longest(*(mutants_of_file(name) for name in names)):
        for mutant in row:
            if mutant and (key := (mutant.edits[0].file, mutant.mutated()[mutant.edits[0].file])) not in seen:
                seen.add(key)
                yield mutant


# The test files that speak of a header; then those that go through everything; then the rest.
RELEVANT = {
    "append_entries": "paper/figure_2_append_entries cases/conflict_hints cases/late_messages cases/log_matching core/append_response "
    "cases/commitment core/violations",
    "inplace_vector": "core/inplace_vector core/writes",
    "violations": "core/violations cases/limits",
    "commitment": "cases/commitment paper/figure_8 paper/figure_2_servers",
    "configuration": "core/configuration core/quorum core/recovery cases/shapes",
    "election": "cases/votes paper/figure_2_request_vote core/vote cases/pre_vote_and_an_active_leader cases/check_quorum",
    "invariants": "core/invariants cases/limits",
    "message": "core/step_and_advance",
    "decision": "core/decision",
    "outgoing": "core/alarms core/step_and_advance",
    "progress": "core/progress cases/conflict_hints",
    "quorum": "core/quorum",
    "reads": "cases/reads",
    "recovery": "core/recovery",
    "release": "core/writes core/rpc node/outbox",
    "replication": "paper/figure_2_leaders core/progress cases/conflict_hints cases/limits cases/shapes",
    "result": "core/result core/recovery",
    "rpc": "core/rpc",
    "role": "core/progress paper/figure_2_leaders",
    "state": "core/recovery core/stepping_down cases/shapes cases/limits core/vote",
    "step": "core/alarms paper/figure_2_servers core/violations cases/late_messages cases/durability "
    "cases/pre_vote_and_an_active_leader cases/terms_and_leaders",
    "term_runs": "core/term_runs",
    "transitions": "paper/figure_2_servers paper/figure_2_leaders core/alarms cases/check_quorum cases/votes core/stepping_down",
    "types": "core/types core/term_runs cases/log_matching",
    "writes": "core/writes core/configuration cases/late_messages",
}
GENERAL = "paper/figure_2_servers paper/figure_2_leaders paper/figure_2_append_entries cases/late_messages cases/shapes cases/votes"
LAST = ("core/term_runs.cpp", "cases/election_timeouts.cpp", "core/totality.cpp")


def killers_by_relevance(mutant: Mutant) -> list[str]:
    header = mutant.edits[0].file.split("/")[-1].removesuffix(".hpp")
    first = [f"{name}.cpp" for name in f"{RELEVANT.get(header, '')} {GENERAL}".split()]
    tests = TOP / "tests"
    others = [str(path.relative_to(tests)) for folder in ("core", "paper", "cases") for path in sorted((tests / folder).glob("*.cpp"))]
    others = [name for name in others if name not in first and name not in LAST]
    return first + others + [name for name in LAST if name not in first]
