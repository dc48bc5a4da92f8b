#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# redis-benchmark against the leader of three kv processes with durable logs, and what memory they need for it.
#
#     bash benchmarks/redis.sh             5,000,000 SET and as many GET: about a minute and a half
#     bash benchmarks/redis.sh 500000      fewer
#
# Then it shows how large the directories are, whose logs snapshots keep short, and how long a server takes to be ready after kill -9 and
# after a clean stop. The last line is `redis: resident N MiB after a tenth of the SETs, M MiB at the end`; the exit code is not 0 if the
# benchmark did not run to its end, the leader grew by more than 64 MiB after that tenth, a directory is larger than two snapshots, the
# log that is kept and two segments, or a restart took longer than 5 s or 1 s.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/support/packages.sh

requests=${1:-5000000}
[[ $requests =~ ^[0-9]{5,}$ ]] || {
    printf 'redis: the number of requests is at least 10000, not %s\n' "$requests"
    exit 2
}
build=build/redis
data=''
processes=()

# shellcheck disable=SC2317 # The traps call it.
clean_up()
{
    trap - EXIT INT TERM HUP
    local process
    for process in "${processes[@]}" ${benchmark-}; do
        kill -KILL "$process" 2>/dev/null
        wait "$process" 2>/dev/null
    done
    [ -z "$data" ] || rm -rf "$data"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

die()
{
    printf 'redis: %s\n' "$*"
    exit 1
}

# information PORT FIELD
information()
{
    redis-cli -p "$1" info 2>/dev/null | tr -d '\r' | sed -n "s/^$2://p"
}

# Of each server, in the order of their ids.
resident_mib()
{
    local id
    for id in 1 2 3; do
        awk '/^VmRSS:/ { print int($2 / 1024) }' "/proc/${processes[$id]}/status"
    done | paste -sd ' '
}

need_packages g++-12=g++-12 cmake=cmake ninja=ninja-build ccache=ccache boost/version.hpp=libboost-dev \
    redis-benchmark=redis-tools || exit 2
cmake -C .cmake/release.cmake -S . -B $build -G Ninja -DCMAKE_CXX_COMPILER=g++-12 -DTOTORA_TESTS=OFF \
    -DTOTORA_EXAMPLES=ON -DTOTORA_BENCHMARKS=OFF >/dev/null || die 'the configuration failed'
cmake --build $build --target kv --parallel "$(nproc)" || die 'the build failed'
kv=$build/examples/kv

# start ID: a server, in the background.
start()
{
    "$kv" run --dir "$data/$1" --client-port "${client_ports[$1]}" --segment-mib 64 >>"$data/$1.log" 2>&1 &
    processes[$1]=$!
}

# restart ID SIGNAL: ends a server by a signal and starts it again; how many milliseconds until it is ready are in `took`.
restart()
{
    local began
    kill "-$2" "${processes[$1]}"
    wait "${processes[$1]}" 2>/dev/null
    began=$(date +%s%3N)
    start "$1"
    for _ in $(seq 2000); do
        [ "$(information "${client_ports[$1]}" raft_ready)" = 1 ] && break
        sleep 0.01
    done
    took=$(($(date +%s%3N) - began))
}

data=$(mktemp -d) || die 'there is no room for the data'
ports=(0 17101 17102 17103) client_ports=(0 17111 17112 17113)
peers=1=127.0.0.1:${ports[1]},2=127.0.0.1:${ports[2]},3=127.0.0.1:${ports[3]}
for id in 1 2 3; do
    "$kv" init --cluster redis --id $id --peers "$peers" --dir "$data/$id" || die "server $id was not made"
    start $id
done

leader=''
for _ in $(seq 100); do
    sleep 0.1
    for id in 1 2 3; do
        [ "$(information "${client_ports[$id]}" raft_role)" = leader ] &&
            [ "$(information "${client_ports[$id]}" loading)" = 0 ] && leader=$id && break 2
    done
done
[ -n "$leader" ] || die "no server leads: $(tail -n 1 "$data/1.log")"
port=${client_ports[$leader]}

redis-benchmark -p "$port" -t set,get -P 16 -c 50 -n "$requests" -r 100000 -d 256 --csv >"$data/out.csv" 2>&1 &
benchmark=$!
began=$SECONDS tenth='' shown=0
while kill -0 $benchmark 2>/dev/null; do
    sleep 0.5
    applied=$(information "$port" raft_applied)
    [ -n "$tenth" ] || [ "${applied:-0}" -lt $((requests / 10)) ] || tenth=$(resident_mib)
    if [ $((SECONDS - shown)) -ge 10 ]; then
        shown=$SECONDS
        printf '   %s s: %s SETs of %s, resident %s MiB\n' $((SECONDS - began)) "$applied" "$requests" "$(resident_mib)"
    fi
done
wait $benchmark || die "redis-benchmark failed: $(tail -n 1 "$data/out.csv")"
benchmark=''
end=$(resident_mib)
cat "$data/out.csv"
[ "$(information "$port" raft_role)" = leader ] || die "server $leader leads no more: its figures mean nothing"

# The log is kept up to a snapshot of its own size or 64 MiB and a quarter more, and 64 MiB before a snapshot.
is_short=1
for id in 1 2 3; do
    directory=$(du -sm --apparent-size "$data/$id" | cut -f 1)
    snapshot=$(($(information "${client_ports[$id]}" raft_snapshot_bytes || echo 0) >> 20))
    printf 'redis: directory of server %s: %s MiB, its snapshot %s MiB\n' $id "$directory" "$snapshot"
    [ "$directory" -le $((2 * snapshot + 80 + 64 + 2 * 64)) ] || is_short=0
done
follower=$((leader % 3 + 1))
restart $follower KILL
after_kill=$took
restart $follower TERM
after_stop=$took
printf 'redis: a follower is ready %s ms after kill -9, %s ms after a clean stop\n' "$after_kill" "$after_stop"
printf 'redis: resident %s MiB after a tenth of the SETs, %s MiB at the end\n' "$tenth" "$end"
read -ra before <<<"$tenth"
read -ra after <<<"$end"
grew=0
for at in 0 1 2; do
    [ $((after[at] - ${before[at]:-0})) -le $grew ] || grew=$((after[at] - ${before[at]:-0}))
done
[ -n "$tenth" ] && [ $grew -le 64 ] && [ $is_short -eq 1 ] && [ "$after_kill" -le 5000 ] && [ "$after_stop" -le 1000 ]
