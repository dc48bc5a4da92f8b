#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# What keeping a cluster alive costs its clients: three kv processes with durable logs on this machine, and `load`.
#
#     bash benchmarks/upkeep.sh                       both parts: about four minutes, and 4 GiB of disk
#     bash benchmarks/upkeep.sh --only catching-up    a server comes back that lacks 1 GiB of 4 KiB values, while clients offer half
#                                                     of what the cluster was measured to take
#     bash benchmarks/upkeep.sh --only snapshots      the p99 of SETs at half of that rate, while one server after the other takes a
#                                                     snapshot without pause, and while none does, in turns
#     bash benchmarks/upkeep.sh --mib 64 --pairs 1 --slice-seconds 2
#
# Prints one JSON object, "ok" last; the exit code is 0 if the server caught up at 60 MB/s or better without an election, the clients
# got 80 % of what they offered, and snapshots doubled the p99 at most.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
. tests/support/packages.sh

build=build/upkeep
need_packages g++-12=g++-12 cmake=cmake ninja=ninja-build ccache=ccache boost/version.hpp=libboost-dev \
    benchmark/benchmark.h=libbenchmark-dev python3=python3 >&2 || exit 2
{
    cmake -C .cmake/release.cmake -S . -B $build -G Ninja -DCMAKE_CXX_COMPILER=g++-12 -DTOTORA_TESTS=OFF \
        -DTOTORA_EXAMPLES=ON -DTOTORA_BENCHMARKS=ON && cmake --build $build --target kv bench_load
} >&2 || exit 2
exec python3 -B benchmarks/support/upkeep.py --kv $build/examples/kv --load $build/benchmarks/load "$@"
