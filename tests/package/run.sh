#!/usr/bin/env bash
# Projects that use the library, each in one of the ways that the README names: installed and found, as a
# subdirectory, as a Meson subproject, and by -I include alone.
#
#     bash tests/package/run.sh [COMPILER [DIRECTORY]]
#
# The last line is `N passed, N failed`.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)

compiler=${1:-g++}
work=${2:-$top/build/package}
rm -rf "$work"
mkdir -p "$work" || exit 2
work=$(cd "$work" && pwd)

# What has not changed since the last run need not be compiled again.
cached=()
if command -v ccache >/dev/null 2>&1; then
    cached=(ccache)
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi

passed=0 failed=0
log=$work/log

# check WHAT COMMAND...
check()
{
    local what=$1
    shift
    if "$@" >"$log" 2>&1 </dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'package: %s failed:\n' "$what"
        tail -n 40 "$log"
    fi
}

cmake_consumer()
{
    local build=$1
    shift
    cmake -G Ninja -B "$build" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Debug "$@" &&
        cmake --build "$build" -j "${TOTORA_JOBS:-2}" &&
        "$build/plain" &&
        "$build/tcp" &&
        "$build/testing"
}

find_package_consumer()
{
    cmake -G Ninja -S "$top" -B "$work/for-install" -DCMAKE_CXX_COMPILER="$compiler" \
        -DTOTORA_TESTS=OFF -DTOTORA_EXAMPLES=OFF &&
        cmake --install "$work/for-install" --prefix "$work/prefix" &&
        cmake_consumer "$work/find_package" -S "$here/find_package" -DCMAKE_PREFIX_PATH="$work/prefix" &&
        # What was found is what was installed, not the checkout.
        grep -q "totora_DIR:PATH=$work/prefix/" "$work/find_package/CMakeCache.txt"
}

# Every header is installed, and nothing that is not a header.
installed_headers()
{
    diff <(cd "$top/include" && find . -name '*.hpp' | sort) <(cd "$work/prefix/include" && find . -type f | sort)
}

# The files of pkg-config go with the installation, wherever it is moved to.
pkg_config_consumer()
{
    local moved="$work/moved to" flags
    mkdir -p "$moved" && cp -r "$work/prefix" "$moved/here" || return 1
    export PKG_CONFIG_PATH="$moved/here/share/pkgconfig"
    [ "$(pkg-config --modversion totora)" = "$(sed -n 's/.*version_string = "\(.*\)".*/\1/p' "$top/include/totora/version.hpp")" ] ||
        return 1
    eval "flags=($(pkg-config --cflags --libs totora-tcp))"
    printf '%s\n' "${flags[@]}" | grep -q "^-I$moved/here" || return 1
    "${cached[@]}" "$compiler" "$here/consumer/one.cpp" "$here/consumer/two.cpp" "${flags[@]}" -o "$work/by-pkg-config" &&
        "$work/by-pkg-config" || return 1
    eval "flags=($(pkg-config --cflags totora-testing))"
    "${cached[@]}" "$compiler" "${flags[@]}" "$here/consumer/testing.cpp" -o "$work/testing-by-pkg-config" &&
        "$work/testing-by-pkg-config"
}

# Who only wants the headers has neither Boost nor range-v3, and leaves out what tests are made with.
only_the_headers()
{
    cmake -G Ninja -S "$top" -B "$work/headers" -DCMAKE_CXX_COMPILER="$compiler" \
        -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON -DCMAKE_DISABLE_FIND_PACKAGE_range-v3=ON >"$work/headers.log" 2>&1 &&
        grep -q 'tests and examples need Boost' "$work/headers.log" &&
        grep -q 'the target totora::tcp is left out' "$work/headers.log" &&
        grep -q 'the target totora::testing is left out' "$work/headers.log" &&
        cmake --install "$work/headers" --prefix "$work/only-library" --component library &&
        [ -e "$work/only-library/include/totora/totora.hpp" ] && [ ! -e "$work/only-library/include/totora/testing" ] &&
        [ ! -e "$work/only-library/share/pkgconfig/totora-testing.pc" ] &&
        cmake --install "$work/headers" --prefix "$work/only-library" --component testing &&
        [ -e "$work/only-library/include/totora/testing/explore/explore.hpp" ] &&
        [ -e "$work/only-library/share/pkgconfig/totora-testing.pc" ]
}

another_minor_version_is_refused()
{
    mkdir -p "$work/other" &&
        printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(other LANGUAGES CXX)' \
            'find_package(totora 0.2 REQUIRED)' >"$work/other/CMakeLists.txt" || return 1
    ! cmake -G Ninja -S "$work/other" -B "$work/other/build" -DCMAKE_CXX_COMPILER="$compiler" \
        -DCMAKE_PREFIX_PATH="$work/prefix" >"$log" 2>&1 && grep -q 'requested version "0.2"' "$log"
}

meson_consumer()
{
    local project=$work/meson
    mkdir -p "$project/subprojects" &&
        cp "$here/meson/meson.build" "$here"/consumer/*.cpp "$project" &&
        ln -s "$top" "$project/subprojects/totora" &&
        CXX="${cached[*]} $compiler" meson setup "$project/build" "$project" &&
        meson test -C "$project/build"
}

bare_consumer()
{
    local unit objects=()
    for unit in one two; do
        "${cached[@]}" "$compiler" -std=c++20 -Wall -Wextra -Wpedantic -Werror -I "$top/include" \
            -c "$here/consumer/$unit.cpp" -o "$work/$unit.o" || return 1
        objects+=("$work/$unit.o")
    done
    "$compiler" "${objects[@]}" -o "$work/plain" && "$work/plain"
}

# Two translation units with every header in them: whatever is defined in a header must be inline.
every_header_twice()
{
    local unit objects=()
    for unit in left right; do
        (cd "$top/include" && find . -name '*.hpp' | sort | sed 's|^\./\(.*\)|#include <\1>|') >"$work/$unit.cpp"
        [ "$unit" = right ] && printf 'int main() {}\n' >>"$work/$unit.cpp"
        "${cached[@]}" "$compiler" -std=c++20 -pthread -I "$top/include" -c "$work/$unit.cpp" -o "$work/$unit.o" ||
            return 1
        objects+=("$work/$unit.o")
    done
    "$compiler" -pthread "${objects[@]}" -o "$work/both"
}

# The compiler's processor time and memory, printed also where they are as they should be.
price_of_including()
{
    python3 -B "$here/price.py" "$compiler" "$top" --json "$work/price.json"
}

check 'find_package' find_package_consumer
check 'installed headers' installed_headers
check 'pkg-config' pkg_config_consumer
check 'headers without Boost' only_the_headers
check 'another minor version' another_minor_version_is_refused
check 'add_subdirectory' cmake_consumer "$work/add_subdirectory" -S "$here/add_subdirectory" -DTOTORA_CHECKOUT="$top"
check 'Meson subproject' meson_consumer
check '-I include' bare_consumer
check 'every header in two translation units' every_header_twice
case $compiler in g++*) check 'the price of including it' price_of_including && cat "$log" ;; esac

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
