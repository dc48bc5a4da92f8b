#!/usr/bin/env bash
# Builds all benchmarks and runs them; prints tables, medians and ratios, and leaves JSON in build/benchmarks/results/.
#
#     bash benchmarks/run.sh            everything: about ten minutes
#     bash benchmarks/run.sh --quick    the same in about two, with less to rely on
#     bash benchmarks/run.sh --only step,cluster,rounds,pairs,compaction
#
# `rounds` is durable and ceiling at 1, 16, 256 and 1024 outstanding; `pairs` is both in turns at 256 outstanding. `compaction` is durable with
# snapshots and compaction every 16 MiB, durable without, and ceiling, in turns at 256 and at 1024 outstanding.
# On Debian it installs what is missing when it may, and lists what is missing when it may not. A loaded machine measures
# itself: the load is printed before and after.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/support/packages.sh

pairs=9 seconds=3 repetitions=9 least_seconds=0.2 only=,step,cluster,rounds,pairs,compaction,

usage()
{
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
}

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        usage
        exit 0
        ;;
    --quick) pairs=3 seconds=1 repetitions=3 least_seconds=0.05 ;;
    --only)
        [ -n "${2-}" ] || { usage >&2; exit 2; }
        only=,$2,
        shift
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done

compiler=g++-12
command -v "$compiler" >/dev/null 2>&1 || [ -e /etc/debian_version ] || compiler=g++
need_packages "$compiler=$compiler" cmake=cmake ninja=ninja-build ccache=ccache boost/version.hpp=libboost-dev \
    benchmark/benchmark.h=libbenchmark-dev || exit 2

build=build/benchmarks
results=$build/results
programs=$build/benchmarks
mkdir -p "$results" || exit 2

stage()
{
    printf -- '-- %s\n' "$*"
}

wants()
{
    [[ $only == *",$1,"* ]]
}

failed()
{
    printf 'benchmarks: %s\n' "$*" >&2
    exit 1
}

machine()
{
    local cores model memory disk
    cores=$(nproc)
    model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
    memory=$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)
    disk=$(df --output=fstype "$results" | tail -n 1)
    printf '%s core(s) of %s, %s, %s, Linux %s, %s %s -O2\n' "$cores" "${model:-an unknown processor}" "$memory" "$disk" \
        "$(uname -r)" "$compiler" "$("$compiler" -dumpfullversion)"
}

load()
{
    printf 'load of the last minute: %s\n' "$(cut -d ' ' -f 1 /proc/loadavg)"
}

stage build
cmake -G Ninja -C .cmake/release.cmake -B "$build" -S . -DCMAKE_CXX_COMPILER="$compiler" \
    -DTOTORA_TESTS=OFF -DTOTORA_EXAMPLES=OFF >"$build/configure.log" 2>&1 || {
    tail -n 20 "$build/configure.log"
    failed "the configuration failed"
}
cmake --build "$build" -j "${TOTORA_JOBS:-$(nproc)}" >"$build/build.log" 2>&1 || {
    grep -E -A 8 'error:|^FAILED' "$build/build.log" | head -n 60
    failed "the build failed"
}

stage machine
machine | tee "$results/machine.txt"
load

# median FILE: of one number a line.
median()
{
    sort -g "$1" | awk '{ value[NR] = $1 } END { print (NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2) }'
}

# google PROGRAM: runs it with repetitions, and prints the median and the least of each line.
google()
{
    local program=$1
    stage "$program: median and least of $repetitions runs, CPU time"
    "$programs/$program" --benchmark_repetitions="$repetitions" --benchmark_min_time="$least_seconds" \
        --benchmark_enable_random_interleaving=true --benchmark_format=json >"$results/$program.json" \
        2>"$results/$program.log" </dev/null || {
        cat "$results/$program.log"
        failed "$program failed"
    }
    awk -F '": ' '
        /"family_index": /              { family = $2 + 0 }
        /"per_family_instance_index": / { place = family * 1000 + $2 }
        /"run_name": /                  { run_name = $2; gsub(/[",]/, "", run_name) }
        /"run_type": /              { counts = /iteration/ }
        /"error_message": /             { print "   " run_name ": " $2; bad = 1 }
        counts && /"per_entry": /   {
            name[place] = run_name
            if (place > last) last = place
            entry[place, ++runs[place]] = $2 * 1e9
        }
        counts && /"allocations_per_entry": / { allocations[place] = $2 + 0 }
        function sort_runs(at, number,    a, b, swap) {
            for (a = 1; a <= number; ++a) order[a] = entry[at, a]
            for (a = 1; a <= number; ++a)
                for (b = a + 1; b <= number; ++b)
                    if (order[b] < order[a]) { swap = order[a]; order[a] = order[b]; order[b] = swap }
        }
        END {
            printf "%-34s %14s %10s %14s\n", "", "ns per entry", "least", "allocations"
            for (at = 0; at <= last; ++at) {
                if (!(at in name)) continue
                sort_runs(at, runs[at])
                printf "%-34s %14.1f %10.1f %14.3f\n", name[at], order[int((runs[at] + 1) / 2)], order[1], allocations[at]
                measured = 1
            }
            exit bad || !measured
        }' "$results/$program.json" || failed "$program measured nothing"
}

wants step && google step
wants cluster && google cluster

# trial NAME JSON ARGUMENTS...: one run of a program that starts three processes.
trial()
{
    local name=$1 json=$2
    shift 2
    "$programs/$name" --dir "$results" --seconds "$seconds" --json "$json" "$@" </dev/null || failed "$name failed"
}

rate='s/.*"entries_per_second": \([0-9.]*\).*/\1/p'

if wants rounds; then
    for name in ceiling durable; do
        stage "$name"
        trial "$name" "$results/$name.json"
    done
fi

if wants pairs; then
    stage "pairs: durable and ceiling in turns, 256 outstanding"
        : >"$results/durable.rates"
    : >"$results/ceiling.rates"
    : >"$results/ratios"
    for pair in $(seq "$pairs"); do
        for name in durable ceiling; do
            trial "$name" "$results/$name-$pair.json" --outstanding 256 >/dev/null
            sed -n "$rate" "$results/$name-$pair.json" >>"$results/$name.rates"
        done
        ours=$(tail -n 1 "$results/durable.rates") theirs=$(tail -n 1 "$results/ceiling.rates")
        awk "BEGIN { print $ours / $theirs }" >>"$results/ratios"
        printf '   pair %s of %s: durable %.0f/s, ceiling %.0f/s, ratio %.2f\n' "$pair" "$pairs" "$ours" "$theirs" \
            "$(tail -n 1 "$results/ratios")"
    done
    printf '   medians: durable %.0f/s, ceiling %.0f/s, ratio %.2f\n' "$(median "$results/durable.rates")" \
        "$(median "$results/ceiling.rates")" "$(median "$results/ratios")"
    printf '{"outstanding": 256, "pairs": %s, "durable_median": %s, "ceiling_median": %s, "ratio_median": %s}\n' "$pairs" \
        "$(median "$results/durable.rates")" "$(median "$results/ceiling.rates")" "$(median "$results/ratios")" \
        >"$results/pairs.json"
fi

if wants compaction; then
    declare -A arguments=([compacting]='durable --snapshot-mib 16' [durable]=durable [ceiling]=ceiling)
    for outstanding in 256 1024; do
        stage "compaction: durable that compacts, durable and ceiling in turns, $outstanding outstanding"
        rm -f "$results"/compaction.*
        for pair in $(seq "$pairs"); do
            for kind in compacting durable ceiling; do
                read -r name options <<<"${arguments[$kind]}"
                # shellcheck disable=SC2086 # Words.
                trial "$name" "$results/compaction-$kind-$outstanding-$pair.json" --outstanding $outstanding $options >/dev/null
                sed -n "$rate" "$results/compaction-$kind-$outstanding-$pair.json" >>"$results/compaction.$kind"
            done
            printf '   %s of %s: compacting %.0f/s, not compacting %.0f/s, ceiling %.0f/s\n' "$pair" "$pairs" \
                "$(tail -n 1 "$results/compaction.compacting")" "$(tail -n 1 "$results/compaction.durable")" \
                "$(tail -n 1 "$results/compaction.ceiling")"
        done
        paste "$results/compaction.compacting" "$results/compaction.durable" | awk '{ print $1 / $2 }' >"$results/compaction.ratio"
        printf '   medians: compacting %.0f/s, not compacting %.0f/s, ceiling %.0f/s; ratio of the first two %.2f\n' \
            "$(median "$results/compaction.compacting")" "$(median "$results/compaction.durable")" \
            "$(median "$results/compaction.ceiling")" "$(median "$results/compaction.ratio")"
        printf '{"outstanding": %s, "pairs": %s, "compacting_median": %s, "durable_median": %s, "ceiling_median": %s, "ratio_median": %s}\n' \
            "$outstanding" "$pairs" "$(median "$results/compaction.compacting")" "$(median "$results/compaction.durable")" \
            "$(median "$results/compaction.ceiling")" "$(median "$results/compaction.ratio")" >"$results/compaction-$outstanding.json"
    done
fi

load
printf 'results: %s\n' "$results"
