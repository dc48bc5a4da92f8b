#!/usr/bin/env bash
# Counts the instructions that an entry takes, with callgrind: unlike a time it is the same on a loaded machine, so that two
# commits can be compared to a percent.
#
#     bash benchmarks/instructions.sh                        a table: about a minute on a core of its own
#     bash benchmarks/instructions.sh --against COMMIT       with what the headers of another commit take: twice that
#     bash benchmarks/instructions.sh --against COMMIT --at-most 3     fails if one takes over 3 % more than there
#     bash benchmarks/instructions.sh --only '^(advance|closed)/batch:1'     configurations whose names match
#     bash benchmarks/instructions.sh --json FILE            writes the table for programs, too
#
# The programs are benchmarks/step.cpp and cluster.cpp, of the other commit those that it has, since names change. Each
# configuration runs twice, with few and with many iterations: the difference leaves out start and
# warm-up. On Debian it installs what is missing when it may, and lists what is missing when it may not. The exit code is 1 if
# `--at-most` is exceeded, and 2 if something could not be measured.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/support/packages.sh

against='' at_most='' json='' only='^(advance|closed|pipelined|batches)/'

usage()
{
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
}

failed()
{
    printf 'instructions: %s\n' "$*" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        usage
        exit 0
        ;;
    --against | --at-most | --json | --only)
        [ -n "${2-}" ] || { usage >&2; exit 2; }
        case $1 in
        --against) against=$2 ;;
        --at-most) at_most=$2 ;;
        --json) json=$2 ;;
        --only) only=$2 ;;
        esac
        shift
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done
[ -z "$at_most" ] || [ -n "$against" ] || failed "--at-most limits the increase over another commit: it needs --against"
[[ $at_most =~ ^[0-9]*(\.[0-9]+)?$ ]] || failed "--at-most takes a number of percent, not $at_most"

compiler=g++-12
command -v "$compiler" >/dev/null 2>&1 || [ -e /etc/debian_version ] || compiler=g++
need_packages "$compiler=$compiler" benchmark/benchmark.h=libbenchmark-dev valgrind=valgrind || exit 2

build=build/instructions
mkdir -p "$build/now" || exit 2

# compile FOLDER TREE: both programs, of the benchmarks and the headers in a tree.
compile()
{
    local name
    for name in step cluster; do
        "$compiler" -std=c++20 -O2 -DNDEBUG -I "$2/include" -I "$2/benchmarks" "$2/benchmarks/$name.cpp" -lbenchmark -lpthread \
            -o "$1/$name" || failed "$2/benchmarks/$name.cpp does not compile"
    done
}

printf -- '-- build\n'
compile "$build/now" .
folders=("$build/now")
if [ -n "$against" ]; then
    commit=$(git rev-parse --verify --quiet "$against^{commit}") || failed "there is no commit $against"
    before=$build/$commit
    rm -rf "$before"
    mkdir -p "$before" || exit 2
    git archive "$commit" include benchmarks | tar -x -C "$before" || failed "the headers of $against cannot be taken out"
    compile "$before" "$before"
    folders=("$before" "$build/now")
fi

# run PROGRAM CONFIGURATION ITERATIONS: prints how many instructions the whole program takes.
run()
{
    local log=$build/run.log
    if ! TOTORA_ITERATIONS=$3 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" \
        --benchmark_filter="^$2/iterations:" </dev/null >"$log" 2>&1 || ! grep -q 'per_entry=' "$log"; then
        cat "$log" >&2
        return 1
    fi
    sed -n 's/^==[0-9]*== Collected : //p' "$log"
}

# count FOLDER PROGRAM CONFIGURATION: prints how many instructions an entry takes.
count()
{
    local few many batch of_few of_many
    # In a cluster no more than what one of them lives for: a fresh one would be counted.
    case $2/$3 in
    step/*) few=1000 many=11000 ;;
    */batch:1/*) few=2000 many=6000 ;;
    */bytes:4096) few=20 many=44 ;;
    *) few=60 many=180 ;;
    esac
    batch=${3#*batch:}
    batch=${batch%%/*}
    of_few=$(run "$1/$2" "$3" "$few") && of_many=$(run "$1/$2" "$3" "$many") || return 1
    awk "BEGIN { printf \"%.1f\n\", ($of_many - $of_few) / ($many - $few) / $batch }"
}

# pretty NUMBER: thousands apart; a decimal where it matters.
pretty()
{
    awk "BEGIN { printf ($1 < 100 ? \"%.1f\" : \"%.0f\"), $1 }" | sed -E ':more; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; t more'
}

printf -- '-- instructions per entry: callgrind, %s %s -O2\n' "$compiler" "$("$compiler" -dumpfullversion)"
[ -z "$against" ] || printf '   %-28s %12s %12s %9s\n' '' "${against:0:12}" now change

status=0 lines=()
for program in step cluster; do
    mapfile -t configurations < <("$build/now/$program" --benchmark_list_tests | grep -E -- "$only")
    for configuration in "${configurations[@]}"; do
        counts=()
        for folder in "${folders[@]}"; do
            counts+=("$(count "$folder" "$program" "$configuration")") || failed "$configuration was not measured"
        done
        now=${counts[-1]} line="{\"name\": \"$configuration\", \"instructions_per_entry\": ${counts[-1]}"
        if [ -n "$against" ]; then
            change=$(awk "BEGIN { printf \"%.2f\", ($now / ${counts[0]} - 1) * 100 }")
            line+=", \"before\": ${counts[0]}, \"percent\": $change"
            verdict=''
            if [ -n "$at_most" ] && awk "BEGIN { exit !($change > $at_most) }"; then
                status=1 verdict=' <-- more than that'
            fi
            printf '   %-28s %12s %12s %+7.2f %%%s\n' "$configuration" "$(pretty "${counts[0]}")" "$(pretty "$now")" \
                "$change" "$verdict"
        else
            printf '   %-28s %12s\n' "$configuration" "$(pretty "$now")"
        fi
        lines+=("$line}")
    done
done
[ "${#lines[@]}" -gt 0 ] || failed "no configuration is named like $only"

if [ -n "$json" ]; then
    {
        printf '{"compiler": "%s %s", "against": %s, "configurations": [' "$compiler" "$("$compiler" -dumpfullversion)" \
            "$([ -n "$against" ] && printf '"%s"' "$commit" || printf null)"
        separator=''
        for line in "${lines[@]}"; do
            printf '%s\n  %s' "$separator" "$line"
            separator=,
        done
        printf '\n]}\n'
    } >"$json" || failed "$json cannot be written"
fi
exit "$status"
