#!/usr/bin/env bash
# Wrong programs must not compile, and the compiler must name what is missing.
#
#     bash tests/compile_failure/run.sh [COMPILER...]     by default every one of g++-12, clang++-14, clang++-19 here
#
# Each NAME.cpp lists in comments what the compiler prints when TOTORA_EXPECT_FAILURE is defined, one fragment a line,
# for all compilers or for one family of them:
#
#     // prints: clock.arm(alarm, delay)
#     // prints(g++): the required expression
#     // prints(clang++): because
#     // first: readable.applied_index()          before a second error is printed
#
# Without TOTORA_EXPECT_FAILURE the same file is the fixed twin and must compile. Blanks do not count in a comparison.
# The last line is `N passed, N failed`: one for each file and compiler.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)

compilers=("$@")
if [ "${#compilers[@]}" -eq 0 ]; then
    for compiler in g++-12 clang++-14 clang++-19; do
        command -v "$compiler" >/dev/null 2>&1 && compilers+=("$compiler")
    done
fi

without_blanks()
{
    tr -d '[:space:]' | sed "s/[‘’\`]/'/g"
}

compile()
{
    local compiler=$1 file=$2
    shift 2
    LC_ALL=C "$compiler" -std=c++20 -Wall -Wextra -fsyntax-only -I "$top/include" "$@" "$file" 2>&1
}

# Prints why FILE is not in order under COMPILER; prints nothing if it is.
complaint()
{
    local compiler=$1 file=$2 family fragment printed first fragments=() firsts=()
    family=$(basename "$compiler")
    family=${family%-[0-9]*}
    mapfile -t fragments < <(sed -n "s/^ *\/\/ prints: *//p; s/^ *\/\/ prints($family): *//p" "$file")
    mapfile -t firsts < <(sed -n "s/^ *\/\/ first: *//p" "$file")
    if [ "$((${#fragments[@]} + ${#firsts[@]}))" -eq 0 ]; then
        printf 'lists nothing that %s should print\n' "$family"
        return
    fi
    if ! printed=$(compile "$compiler" "$file"); then
        printf 'the fixed twin does not compile:\n%s\n' "$printed"
        return
    fi
    if printed=$(compile "$compiler" "$file" -DTOTORA_EXPECT_FAILURE); then
        printf 'the wrong program compiles\n'
        return
    fi
    for fragment in "${fragments[@]}"; do
        if ! without_blanks <<<"$printed" | grep -qF -e "$(without_blanks <<<"$fragment")"; then
            printf 'the error does not contain: %s\n%s\n' "$fragment" "$printed"
            return
        fi
    done
    first=$(awk '/error: / && ++errors == 2 { exit } { print }' <<<"$printed")
    for fragment in "${firsts[@]}"; do
        if ! without_blanks <<<"$first" | grep -qF -e "$(without_blanks <<<"$fragment")"; then
            printf 'the first error does not contain: %s\n%s\n' "$fragment" "$printed"
            return
        fi
    done
}

passed=0 failed=0

report()
{
    local name=$1 compiler=$2 why=$3
    if [ -z "$why" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'compile_failure/%s (%s): %s\n' "$name" "$compiler" "$(head -n 30 <<<"$why")"
    fi
}

# The harness itself: what is in order passes, and each way of not being in order is noticed.
for compiler in "${compilers[@]}"; do
    for file in "$here"/self_check/*.cpp; do
        expected=$(sed -n 's/^\/\/ complaint: *//p' "$file")
        why=$(complaint "$compiler" "$file")
        if [ -n "$expected" ] && [[ $why == *"$expected"* ]]; then
            why=''
        elif [ -n "$expected" ]; then
            why="the harness should have complained that $expected, but printed: $why"
        fi
        report "self_check/$(basename "$file")" "$compiler" "$why"
    done
done

for compiler in "${compilers[@]}"; do
    for file in "$here"/*.cpp; do
        [ -e "$file" ] || continue
        report "$(basename "$file")" "$compiler" "$(complaint "$compiler" "$file")"
    done
done

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
