# SPDX-License-Identifier: BSL-1.0
"""What who includes the library pays: processor time and memory of the compiler, as ratios to a program of standard headers alone.

The standard headers alone are what such a program pays anyway, and a ratio to them is about the same on any machine.

    python3 tests/package/price.py COMPILER TOP [--json FILE]

Each is the best of three. It fails if a ratio is above that of REFERENCE by more than a quarter.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

STANDARD = "algorithm functional memory optional span string string_view utility variant vector".split()
# Ratios of processor time and of memory with g++ 12.2 -O0, as measured when they were last changed on purpose.
REFERENCE = {"the header of the node": (3.1, 2.6), "a program with one node": (13.3, 3.9)}
GROWTH_MAX = 1.25


def cost(compiler: str, top: Path, source: Path) -> tuple[float, float]:
    """Seconds of the processor and MiB of memory, the least of three runs each."""
    seconds, mib = [], []
    for _ in range(3):
        process = subprocess.Popen([compiler, "-std=c++20", "-O0", f"-I{top}/include", "-c", str(source), "-o", "/dev/null"])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"price: {source} does not compile")
        seconds.append(usage.ru_utime + usage.ru_stime)
        mib.append(usage.ru_maxrss / 1024)
    return min(seconds), min(mib)


def main(compiler: str, top: Path, json_file: str | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        standard = Path(folder) / "standard.cpp"
        standard.write_text("".join(f"#include <{name}>\n" for name in STANDARD) + "int main() {}\n")
        header = Path(folder) / "header.cpp"
        header.write_text("#include <totora/node/raft_node.hpp>\nint main() {}\n")
        base = cost(compiler, top, standard)
        measured = {
            "the header of the node": cost(compiler, top, header),
            "a program with one node": cost(compiler, top, top / "docs/examples/first.cpp"),
        }

    rows, too_much = [], False
    print(f"price: standard headers alone {base[0]:.2f} s, {base[1]:.0f} MiB")
    for name, (seconds, mib) in measured.items():
        ratios = (seconds / base[0], mib / base[1])
        limits = tuple(GROWTH_MAX * reference for reference in REFERENCE[name])
        above = any(ratio > limit for ratio, limit in zip(ratios, limits))
        too_much = too_much or above
        rows.append({"what": name, "seconds": seconds, "mib": mib, "time_ratio": ratios[0], "memory_ratio": ratios[1]})
        print(
            f"price: {name} {seconds:.2f} s, {mib:.0f} MiB: {ratios[0]:.1f} times the time, {ratios[1]:.1f} times the memory"
            f" (at most {limits[0]:.1f} and {limits[1]:.1f}){' <-- more than that' if above else ''}"
        )
    if json_file:
        Path(json_file).write_text(json.dumps({"standard": {"seconds": base[0], "mib": base[1]}, "rows": rows}, indent=2) + "\n")
    return 1 if too_much else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    json_path = None
    if "--json" in arguments:
        at = arguments.index("--json")
        json_path = arguments[at + 1]
        del arguments[at : at + 2]
    if len(arguments) != 2:
        sys.exit(__doc__)
    sys.exit(main(arguments[0], Path(arguments[1]).resolve(), json_path))
