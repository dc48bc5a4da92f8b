#!/usr/bin/env bash
# Three real kv processes on slow links: namespaces of its own, links limited by `tc tbf`.
#
#     bash tests/weather.sh                     20 values of 8 MB at 50 Mbit/s; 100 MiB of 16 KiB values that a server lacks
#     bash tests/weather.sh --values 3 --missing-mib 10
#     bash tests/weather.sh --rate 10mbit --value-bytes 1000000
#     bash tests/weather.sh --kv PATH           the program; otherwise it is built in build/weather
#
# Prints one JSON object, "ok" last; the exit code is 0 if all is as it should be. Where namespaces cannot be made it prints
# "not run" with the reason, and the exit code is 0 too.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

not_run()
{
    printf '{"weather": "not run", "because": "%s"}\n' "$1"
    exit 0
}

for program in python3 unshare ip tc; do
    command -v "$program" >/dev/null 2>&1 || not_run "there is no $program"
done
own=(unshare -nm)
[ "$(id -u)" -eq 0 ] || own=(unshare -rnm)
# What the run needs: a file system for the names of namespaces, veth pairs, a bridge, and tbf.
"${own[@]}" bash -c 'mount -t tmpfs none /run && mkdir /run/netns && ip netns add n1 &&
    ip link add br0 type bridge && ip link add v1 type veth peer name eth0 netns n1 &&
    ip netns exec n1 tc qdisc add dev eth0 root tbf rate 50mbit burst 64kb latency 50ms' >/dev/null 2>&1 ||
    not_run "namespaces with limited links cannot be made here"

kv=''
for word in "$@"; do
    [ "${last-}" = --kv ] && kv=$word
    last=$word
done
if [ -z "$kv" ]; then
    kv=build/weather/examples/kv
    { cmake -C .cmake/release.cmake -B build/weather -G Ninja -DTOTORA_TESTS=OFF -DTOTORA_BENCHMARKS=OFF \
        -DTOTORA_EXAMPLES=ON && cmake --build build/weather --target kv; } >&2 || exit 2
    set -- "$@" --kv "$kv"
fi
exec "${own[@]}" python3 -B tests/weather/run.py "$@"
