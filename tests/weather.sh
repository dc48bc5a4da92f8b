#!/usr/bin/env bash
# Three real kv processes on slow links (namespaces of its own, links limited by `tc tbf`), with a disk that is slow to read (strace),
# and in a rolling restart.
#
#     bash tests/weather.sh                     20 values of 8 MB at 50 Mbit/s; 100 MiB of 16 KiB values that a server lacks;
#                                               a snapshot of 60 MiB whose sender and receiver are killed ten times;
#                                               64 MiB that another lacks, whose leader takes 200 ms for each read;
#                                               a rolling restart with 3,000,000 entries, both on this machine's loopback
#     bash tests/weather.sh --only links        the first three; `--only reads` and `--only restart` need no namespaces
#     bash tests/weather.sh --values 3 --missing-mib 10 --restart-entries 20000
#     bash tests/weather.sh --rate 10mbit --value-bytes 1000000
#     bash tests/weather.sh --only links --rate 64kbit --election-ms 40000..45000 --values 1 --value-bytes 120000 --missing-mib 0 --transfer-mib 0
#     bash tests/weather.sh --kv PATH           the program; otherwise it is built in build/weather
#
# Prints one JSON object, "ok" last; the exit code is 0 if all is as it should be. Where namespaces cannot be made, "links" is
# "not run" with the reason, and what is left is run.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

kv='' only='' last=''
for word in "$@"; do
    [ "$last" = --kv ] && kv=$word
    [ "$last" = --only ] && only=$word
    last=$word
done

command -v python3 >/dev/null 2>&1 || {
    printf '{"weather": "not run: there is no python3", "ok": true}\n'
    exit 0
}

# What limits links: a file system for the names of namespaces, veth pairs, a bridge, and tbf.
why_no_links()
{
    local program
    for program in unshare ip tc; do
        command -v "$program" >/dev/null 2>&1 || {
            printf 'there is no %s' "$program"
            return
        }
    done
    "${own[@]}" bash -c 'mount -t tmpfs none /run && mkdir /run/netns && ip netns add n1 &&
        ip link add br0 type bridge && ip link add v1 type veth peer name eth0 netns n1 &&
        ip netns exec n1 tc qdisc add dev eth0 root tbf rate 50mbit burst 64kb latency 50ms' >/dev/null 2>&1 ||
        printf 'namespaces with limited links cannot be made here'
}

own=()
if [ -z "$only" ] || [ "$only" = links ]; then
    own=(unshare -nm)
    [ "$(id -u)" -eq 0 ] || own=(unshare -rnm)
    reason=$(why_no_links)
    if [ -n "$reason" ]; then
        own=()
        set -- "$@" --without-links "$reason"
    fi
fi
if [ -z "$kv" ]; then
    kv=build/weather/examples/kv
    { cmake -C .cmake/release.cmake -B build/weather -G Ninja -DTOTORA_TESTS=OFF -DTOTORA_BENCHMARKS=OFF \
        -DTOTORA_EXAMPLES=ON && cmake --build build/weather --target kv; } >&2 || exit 2
    set -- "$@" --kv "$kv"
fi
exec "${own[@]}" python3 -B tests/weather/run.py "$@"
