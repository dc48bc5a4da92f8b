#!/usr/bin/env bash
# Runs what the tables of results in docs/testing.md name, and rewrites the rows: figures, commit and date.
#
#     bash tests/results.sh                        lists the commands of all rows
#     bash tests/results.sh --only two-elections   runs the row with this word in its command, or all of `explore`
#     bash tests/results.sh --all                  runs all of them, which takes hours
#
# A new row is added by hand, with its command in the first field and nothing else. A row is written as soon as its command has ended
# well. The tree must be committed, because the row names the commit. The exit code is not 0 if a command found something.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/support/packages.sh

case ${1-} in
--help | -h)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
need_packages python3=python3 g++-12=g++-12 cmake=cmake ninja=ninja-build || exit 2
exec python3 -B tests/results/run.py "$@"
