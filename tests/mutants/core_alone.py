# SPDX-License-Identifier: BSL-1.0
"""A program over the core, of which only the core is compiled again for a mutant of it.

The core is functions that are not templates, and they stand in headers. Twice the same program is compiled with an attribute at
each of them: the rest of it once, where every call of such a function is a call (`noipa`: neither its body nor what is known of it
is used); and for each mutant one file that includes all of core/, where every such function is emitted (`used`). Of equal inline
functions the linker takes the first, which is the mutant's. What changes anything but the body of such a function is not for this.
"""

from __future__ import annotations

import re
from pathlib import Path

from generate import closing, without_comments
from mutant import HEADERS, Edit, Mutant

FUNCTION = re.compile(r"^( *(?:\[\[nodiscard\]\] )?)((?:friend )?constexpr )(?!auto \w+ =)", re.MULTILINE)
TOP_LEVEL = re.compile(r"^(?:template|class|struct|union)\b", re.MULTILINE)


def with_attribute(text: str, attribute: str) -> str:
    """A header of the core with an attribute at each of its functions; where it means nothing it is ignored."""
    return FUNCTION.sub(rf"\1__attribute__(({attribute})) \2", text)


def is_template(code: str, begin: int, indented: bool) -> bool:
    """Whether the function that begins there is one, or a member of one."""
    before = code[:begin].rstrip().splitlines()
    if before and before[-1].lstrip().startswith(("template", "requires")):
        return True
    enclosing = [found.start() for found in TOP_LEVEL.finditer(code, 0, begin)]
    if not indented or not enclosing:
        return False
    earlier = code[: enclosing[-1]].rstrip().splitlines()
    return code.startswith("template", enclosing[-1]) or bool(earlier) and earlier[-1].startswith(("template", "requires"))


def body_after(code: str, begin: int) -> tuple[int, int] | None:
    """What stands between the braces of the function whose type begins there; None if it is no plain function."""
    opening = re.compile(r"[({;=]").search(code, begin)
    if not opening or opening[0] != "(":
        return None
    end = closing(code, opening.start())
    if re.search(r"\bauto\b", code[opening.start() : end]):
        return None
    brace = re.compile(r"[^{;=:]*\{").match(code, end + 1)
    if not brace:
        return None
    depth = 0
    for at in range(brace.end() - 1, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return brace.end(), at
    return None


def bodies(text: str) -> list[tuple[int, int]]:
    code = without_comments(text)
    plain = (found for found in FUNCTION.finditer(code) if not is_template(code, found.start(), found[0].startswith(" ")))
    return [body for body in (body_after(code, found.end()) for found in plain) if body]


def changed(edit: Edit, text: str) -> tuple[int, int]:
    """Where the text is another than before, without the lines that stay."""
    begin = ("\n" + text).find("\n" + edit.before)
    before, after = edit.before.splitlines(keepends=True), edit.after.splitlines(keepends=True)
    end = begin + len(edit.before)
    while before and after and before[0] == after[0]:
        begin += len(before.pop(0))
        after.pop(0)
    while before and after and before[-1] == after[-1]:
        end -= len(before.pop())
        after.pop()
    return begin, end


def is_core_alone(mutant: Mutant) -> bool:
    """Whether all that it changes stands in the bodies of functions of the core that are no templates."""
    for edit in mutant.edits:
        if not edit.file.startswith("core/"):
            return False
        text = (HEADERS / edit.file).read_text()
        begin, end = changed(edit, text)
        if not any(first <= begin and end <= last for first, last in bodies(text)):
            return False
    return True


def write_core(folder: Path, attribute: str, mutated: dict[str, str]) -> Path:
    """The headers of the core below `folder`, and a file that includes them all."""
    place = folder / "totora" / "core"
    place.mkdir(parents=True, exist_ok=True)
    names = sorted(path.relative_to(HEADERS / "core").as_posix() for path in (HEADERS / "core").rglob("*.hpp"))
    for name in names:
        text = mutated.get(f"core/{name}") or (HEADERS / "core" / name).read_text()
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(with_attribute(text, attribute))
    everything = folder / "core.cpp"
    everything.write_text("".join(f'#include "totora/core/{name}"\n' for name in names))
    return everything
