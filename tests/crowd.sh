#!/usr/bin/env bash
# A crowd at the ports of a leader: connections that do nothing, and connections that send garbage and come again when they are
# closed. Three real kv processes on this machine's loopback.
#
#     bash tests/crowd.sh                       5,000 idle ones and 5,000 with garbage for a minute, at each of both ports in turn
#     bash tests/crowd.sh --port client         one port alone: client or peer
#     bash tests/crowd.sh --idle 500 --garbage 500 --seconds 10
#     bash tests/crowd.sh --kv PATH             the program; otherwise it is built in build/crowd
#
# Meanwhile a client writes over a connection that was there before, and others come, write once and go. There may be no election,
# no write that is refused or takes longer than --write-s, and at most --memory-mib more resident memory in the leader.
#
# Prints one JSON object, "ok" last; the exit code is 1 if a limit is broken. Where a process may not have as many file
# descriptors, it prints "not run" with the reason.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

kv='' last=''
for word in "$@"; do
    [ "$last" = --kv ] && kv=$word
    last=$word
done

command -v python3 >/dev/null 2>&1 || {
    printf '{"crowd": "not run: there is no python3", "ok": true}\n'
    exit 0
}
if [ -z "$kv" ]; then
    kv=build/crowd/examples/kv
    { cmake -C .cmake/release.cmake -B build/crowd -G Ninja -DTOTORA_TESTS=OFF -DTOTORA_BENCHMARKS=OFF \
        -DTOTORA_EXAMPLES=ON && cmake --build build/crowd --target kv; } >&2 || exit 2
    set -- "$@" --kv "$kv"
fi
exec python3 -B tests/crowd/run.py "$@"
