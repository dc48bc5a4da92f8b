#!/usr/bin/env bash
# Builds and runs all tests; the last line is `N passed, N failed`, and the exit code is not 0 if one failed.
#
#     bash tests/run.sh                         everything, with g++
#     bash tests/run.sh --only '@case_14'       only what a Boost.Test filter selects
#     bash tests/run.sh --compiler clang++-19   g++, clang++ or clang++-19
#     bash tests/run.sh --sanitize address      address (with undefined behaviour) or thread
#     bash tests/run.sh --folders core,wire     only these folders of tests/, or files of them without their .cpp
#     bash tests/run.sh --folders headers       only the headers, with g++ each alone
#     bash tests/run.sh --folders stories --update   rewrites tests/stories/*.txt by what happens now
#
# On Debian it installs what is missing when it may, and lists what is missing when it may not.
# The build directories are build/tests-*: a second run only builds what changed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/support/packages.sh

only='' compiler=g++ sanitize='' folders='' update=''
jobs=${TOTORA_JOBS:-$(nproc)}
passed=0 failed=0
failures=()

usage()
{
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
}

# Every end goes through here: the closing line is the last one.
finish()
{
    if [ "${#failures[@]}" -gt 0 ]; then
        printf 'Failed: %s\n' "$(printf '%s; ' "${failures[@]}")"
    fi
    printf '%s passed, %s failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && exit 0
    exit 1
}

die()
{
    printf '%s\n' "$*"
    failed=$((failed + 1))
    finish
}

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        usage
        exit 0
        ;;
    --update) update=yes ;;
    --only | --compiler | --sanitize | --folders)
        [ -n "${2-}" ] || die "$1 needs a value."
        case $1 in
        --only) only=$2 ;;
        --compiler) compiler=$2 ;;
        --sanitize) sanitize=$2 ;;
        --folders) folders=${2//,/;} ;;
        esac
        shift
        ;;
    *)
        usage
        die "There is no option $1."
        ;;
    esac
    shift
done

case $compiler in
g++) command=g++-12 packages=('g++-12=g++-12') ;;
clang++) command=clang++-14 packages=('clang++-14=clang-14') ;;
clang++-19) command=clang++-19 packages=('clang++-19=clang-19') ;;
*) die "--compiler is g++, clang++ or clang++-19, not $compiler" ;;
esac
case $sanitize in
'') preset=debug ;;
address) preset=asan-ubsan ;;
thread) preset=tsan ;;
*) die "--sanitize is address or thread, not $sanitize" ;;
esac

# On other systems than Debian 12 the compiler may only be there under its plain name.
if ! command -v "$command" >/dev/null 2>&1 && [ ! -e /etc/debian_version ]; then
    command=${compiler%-*} packages=("${compiler%-*}=$compiler")
fi

packages+=(
    'g++=g++' cmake=cmake ninja=ninja-build ccache=ccache
    boost/version.hpp=libboost-dev boost/test/unit_test.hpp=libboost-test-dev range/v3/range_fwd.hpp=librange-v3-dev
    sqlite3.h=libsqlite3-dev
)
if [ -z "$only$folders" ]; then
    packages+=(meson=meson python3=python3)
fi
if [ -z "$folders" ] || [[ ";$folders;" == *";process;"* ]]; then
    packages+=(
        strace=strace redis-cli=redis-tools hiredis/hiredis.h=libhiredis-dev
        /usr/lib/python3/dist-packages/redis/__init__.py=python3-redis
    )
fi
if [ -n "$sanitize" ] && [[ $command == clang++-* ]]; then
    clang=${command##*-}
    packages+=("/usr/lib/llvm-$clang/lib/clang/*/lib/linux/libclang_rt.asan-*=libclang-rt-$clang-dev")
fi
need_packages "${packages[@]}" || die "The tests need these packages."

build=build/tests-$compiler${sanitize:+-$sanitize}${folders:+-${folders//[;\/]/-}}
mkdir -p "$build" || die "$build cannot be made"

# --- Stages -----------------------------------------------------------------------------------------------------

stage_started=0

stage()
{
    stage_started=$SECONDS
    printf '%s\n' "-- $*"
}

# count PASSED FAILED WHAT: adds to the totals and closes a stage.
count()
{
    passed=$((passed + $1))
    failed=$((failed + $2))
    [ "$2" -eq 0 ] || failures+=("$3")
    printf '   %s: %s passed, %s failed (%s s)\n' "$3" "$1" "$2" "$((SECONDS - stage_started))"
}

# Ninja rewrites one line on a terminal; in a log every twentieth step is enough, and everything that is no step.
progress()
{
    if [ -t 1 ]; then
        cat
    else
        awk '/^\[[0-9]+\/[0-9]+\] / {
                 split(substr($1, 2), step, "/")
                 if (step[1] % 20 == 0 || step[1] + 0 == step[2] + 0) { print "   " $1; fflush() }
                 next
             }
             { print; fflush() }'
    fi
}

build_targets()
{
    cmake --build "$build" -j "$jobs" --target "$@" 2>&1 | progress
}

has_target()
{
    grep -q "^build $1: phony" "$build/build.ninja"
}

# Thread sanitizer's shadow memory does not get along with much address randomization.
runner=(timeout --kill-after=10 1200)
if [ "$sanitize" = thread ] && setarch "$(uname -m)" -R true 2>/dev/null; then
    runner+=(setarch "$(uname -m)" -R)
fi
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}

# Of all that Boost.Test prints, errors are shown at once, and now and then how far it is.
test_progress()
{
    awk '/^Running [0-9]+ test case/ { all = $2 }
         /: Entering test case / {
             tests++
             if (tests % 100 == 0) { print "   " tests "/" all; fflush() }
         }
         /(Entering|Leaving) test |^Running |is skipped because|^Test is aborted|^\*\*\* / { next }
         /did not check any assertions$/ { next }
         NF { print; fflush() }'
}

run_boost()
{
    local program=$1 log=$build/$1.log report=$build/$1.xml status=0 ran=0 bad='' skipped=0
    local arguments=(--log_level=test_suite --color_output=no)
    arguments+=(--report_level=short --report_format=XML "--report_sink=$report")
    [ -n "$only" ] && arguments+=("--run_test=$only")
    [ -n "$update" ] && arguments+=(-- --update)

    rm -f "$report"
    "${runner[@]}" "$build/tests/$program" "${arguments[@]}" </dev/null 2>&1 | tee "$log" | test_progress
    status=${PIPESTATUS[0]}
    if [ -n "$only" ] && grep -q 'no test cases matching filter' "$report"; then
        count 0 0 "$program"
        return
    fi

    ran=$(grep -c ': Entering test case ' "$log")
    bad=$(sed -n 's/.* test_cases_failed="\([0-9]*\)".*/\1/p' "$report" | head -n 1)
    if [ -z "$bad" ]; then
        printf '   %s ended with status %s; %s\n' "$program" "$status" \
            "$(grep ': Entering test case ' "$log" | tail -n 1)"
        bad=1
    fi
    # What a sanitizer finds after the last test is in no report.
    [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    # A test that is switched off has not passed; --only leaves tests out on purpose.
    [ -n "$only" ] || skipped=$(grep -c 'is skipped because' "$log")
    count "$((ran > bad ? ran - bad : 0))" "$((bad + skipped))" "$program"
}

run_examples()
{
    local example status good=0 bad=0
    for example in "$build"/examples/*; do
        # The demo starts these two.
        case $example in *.log | */kv | */demo_client) continue ;; esac
        if [ ! -f "$example" ] || [ ! -x "$example" ]; then continue; fi
        "${runner[@]}" "$example" >"$example.log" 2>&1 </dev/null
        status=$?
        if [ "$status" -eq 0 ]; then
            good=$((good + 1))
        else
            bad=$((bad + 1))
            printf '   %s failed with status %s:\n' "${example##*/}" "$status"
            tail -n 20 "$example.log"
        fi
    done
    count "$good" "$bad" examples
}

# One compiler is enough to find an include that is missing, and one that is asked for nothing else.
headers_alone=OFF
[ "$compiler;$folders" = 'g++;headers' ] && headers_alone=ON

# In CI nothing is built twice, so that more tests may be one source.
per_source=4
[ -z "${CI-}" ] || per_source=6

stage "configure ($compiler${sanitize:+, $sanitize sanitizer}${folders:+, only ${folders//;/ }})"
cmake -G Ninja -C ".cmake/$preset.cmake" -B "$build" -S . \
    -DCMAKE_CXX_COMPILER="$command" -DTOTORA_TEST_FOLDERS="$folders" -DTOTORA_HEADERS_ALONE="$headers_alone" \
    -DTOTORA_TESTS_PER_SOURCE="$per_source" \
    >"$build/configure.log" 2>&1 </dev/null || {
    tail -n 40 "$build/configure.log"
    die "The configuration failed."
}

stage build
programs=()
for program in totora_core_tests totora_tests totora_process_tests; do
    has_target "$program" && programs+=("$program")
done
if [ "${#programs[@]}" -gt 0 ]; then
    build_targets "${programs[@]}" || die "The build failed."
fi
printf '   built in %s s\n' "$((SECONDS - stage_started))"

# --- Beside the tests, which keep one core busy at most -----------------------------------------------------------

# What else is compiled: headers and examples, then the scripts that compile by themselves. Their output waits in files.
compiled_beside=() scripts_beside=()
if [[ -z "$only$folders" || ";$folders;" == *";headers;"* ]]; then
    compiled_beside+=(totora_headers)
fi
if [ -z "$only$folders" ]; then
    compiled_beside+=(totora_examples)
    [ -n "$sanitize" ] || scripts_beside+=(compile_failure mutants package)
fi

# script NAME: with its arguments.
script()
{
    case $1 in
    compile_failure) nice bash tests/compile_failure/run.sh "$command" ;;
    mutants) bash tests/mutants.sh --check ;;
    package) nice bash tests/package/run.sh "$command" "$build/package" ;;
    esac
}

run_beside()
{
    local target name
    for target in "${compiled_beside[@]}"; do
        nice cmake --build "$build" -j "$jobs" --target "$target" -- -k 0 >"$build/$target.log" 2>&1
        printf '%s\n' "$?" >"$build/$target.status"
    done
    for name in "${scripts_beside[@]}"; do
        script "$name" >"$build/$name.log" 2>&1
    done
}

rm -f "$build"/*.status
run_beside </dev/null &
beside=$!

for program in "${programs[@]}"; do
    stage "$program"
    run_boost "$program"
done

stage 'what was compiled beside the tests'
wait "$beside"

# What ninja did not build of a target, with the compiler's errors; and their number in `bad`.
show_failures()
{
    bad=$(grep -c '^FAILED: ' "$build/$1.log")
    [ "$(cat "$build/$1.status")" -eq 0 ] && return
    [ "$bad" -gt 0 ] || bad=1
    grep -E -A 8 '^FAILED: |error:' "$build/$1.log" | head -n 60
}

for target in "${compiled_beside[@]}"; do
    show_failures "$target"
    if [ "$target" = totora_headers ]; then
        headers=$(find include/totora -name '*.hpp' | wc -l)
        count "$((headers > bad ? headers - bad : 0))" "$bad" headers
    elif [ "$bad" -gt 0 ]; then
        count 0 "$bad" examples
    else
        run_examples
    fi
done

# A script ends with a line of its own `N passed, N failed`.
for name in "${scripts_beside[@]}"; do
    cat "$build/$name.log"
    last=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$build/$name.log" | tail -n 1)
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "$name"
    else
        count 0 1 "$name"
    fi
done

if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then
    printf 'No test was selected.\n'
fi
finish
