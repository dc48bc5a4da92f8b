#!/usr/bin/env bash
# Wrong implementations, to see that the tests notice them.
#
#     bash tests/mutants.sh                        every mutant of tests/mutants/cases/
#     bash tests/mutants.sh --only 14              those of one case, or whose name contains a word
#     bash tests/mutants.sh --generate 200         edits made mechanically in include/totora/core/
#     bash tests/mutants.sh --generate 60 --by explore     killed by the explorer alone; or `simulate`
#     bash tests/mutants.sh --turn 20              20 of the cases' mutants, others with every commit
#     bash tests/mutants.sh --check                only whether every edit still applies
#     bash tests/mutants.sh --json FILE            writes the results, too
#
# Results are kept in build/mutants: a run that was stopped goes on where it stopped. The last line is `N killed, N survived`;
# the exit code is not 0 if a mutant of a case survived, or a generated one that tests/mutants/survivors.md does not explain.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/support/packages.sh

packages=(python3=python3)
if [ "${1-}" != --check ]; then
    packages+=(
        'g++-12=g++-12' 'g++=g++' boost/version.hpp=libboost-dev boost/test/unit_test.hpp=libboost-test-dev
        range/v3/range_fwd.hpp=librange-v3-dev
    )
fi
need_packages "${packages[@]}" || {
    printf 'The mutants need these packages.\n0 killed, 0 survived\n'
    exit 1
}
exec python3 -B tests/mutants/run.py "$@"
