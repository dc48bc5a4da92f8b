#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# A replicated key-value store on three processes loses its leader to kill -9, and no data.
#
#     bash docs/examples/demo.sh
#
# Installs what is missing when it may, builds, runs, and removes what it started and wrote. The last line is
# `demo: acknowledged N, lost N, failover M ms`; the exit code is not 0 if anything was lost.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
. tests/support/packages.sh

keys=10000
jobs=${TOTORA_JOBS:-$(nproc)}
build=build/demo
data=''
declare -A process=() # Of each server that runs: its process.

die()
{
    printf 'demo: %s\n' "$*"
    exit 1
}

# shellcheck disable=SC2317 # The traps call it.
clean_up()
{
    trap - EXIT INT TERM HUP
    local id
    for id in "${!process[@]}"; do
        kill -KILL "${process[$id]}" 2>/dev/null
        wait "${process[$id]}" 2>/dev/null
    done
    [ -z "${writer-}" ] || kill "$writer" 2>/dev/null
    [ -z "$data" ] || rm -rf "$data"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

build()
{
    need_packages g++-12=g++-12 cmake=cmake ninja=ninja-build ccache=ccache boost/version.hpp=libboost-dev || return
    if [ ! -e $build/build.ninja ]; then
        cmake -C .cmake/release.cmake -S . -B $build -G Ninja -DCMAKE_CXX_COMPILER=g++-12 -DTOTORA_TESTS=OFF \
            -DTOTORA_EXAMPLES=ON -DTOTORA_BENCHMARKS=OFF >/dev/null || return
    fi
    cmake --build $build --target kv demo_client --parallel "$jobs"
}

start()
{
    $build/examples/kv run --dir "$data/$1" --client-port "${client_port[$1]}" 2>>"$data/$1.log" &
    process[$1]=$!
}

# What a server printed last, when it is needed to understand a failure.
show_servers()
{
    local id
    for id in 1 2 3; do
        printf -- '--- server %s printed last:\n' "$id"
        tail -n 5 "$data/$id.log"
    done
}

server_at()
{
    local id
    for id in 1 2 3; do
        [ "${client_port[$id]}" != "$1" ] || printf '%s' "$id"
    done
}

printf 'building\n'
build || die 'the build failed'
kv=$build/examples/kv
client=$build/examples/demo_client

data=$(mktemp -d "${TMPDIR:-/tmp}/totora-demo.XXXXXX") || die 'there is no room for temporary files'
mapfile -t ports < <($client ports 6)
[ "${#ports[@]}" -eq 6 ] || die 'there are not six free ports'
client_port=([1]=${ports[0]} [2]=${ports[1]} [3]=${ports[2]})
peers=1=127.0.0.1:${ports[3]},2=127.0.0.1:${ports[4]},3=127.0.0.1:${ports[5]}
for id in 1 2 3; do
    $kv init --cluster demo --id $id --peers "$peers" --dir "$data/$id" || die "server $id could not be made"
    start $id
done
printf 'three servers run, with their logs in %s\n' "$data"
printf 'writing %s keys over 8 connections\n' "$keys"

failover=''
acknowledged=0
victim=''
exec 3< <(exec $client write "$keys" "$data/acknowledged" "${client_port[@]}")
writer=$!
while read -r event first second <&3; do
    case $event in
    half)
        victim=$(server_at "$second")
        kill -KILL "${process[$victim]}"
        wait "${process[$victim]}" 2>/dev/null # Or the shell would report its end at length.
        unset "process[$victim]"
        printf 'killed the leader, server %s, with SIGKILL\n' "$victim"
        ;;
    failover)
        failover=$second
        printf 'server %s took over: the next write was acknowledged after %s ms\n' "$(server_at "$first")" "$failover"
        start "$victim"
        printf 'started server %s again\n' "$victim"
        ;;
    acknowledged)
        acknowledged=$first
        ;;
    esac
done
wait "$writer"
written=$?
writer=''
exec 3<&-
if [ "$written" -ne 0 ] || [ -z "$failover" ]; then
    show_servers
    die "only $acknowledged of $keys keys were acknowledged"
fi

if ! $client catch-up "${client_port[$victim]}" "${client_port[@]}"; then
    show_servers
    die "server $victim did not catch up"
fi
printf 'server %s has caught up\n' "$victim"

checked=$($client check "$data/acknowledged" "${client_port[@]}")
status=$?
if [ "$status" -ne 0 ]; then
    show_servers
fi
printf 'demo: acknowledged %s, lost %s, failover %s ms\n' "$acknowledged" "${checked#lost }" "$failover"
exit "$status"
