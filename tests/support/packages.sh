# shellcheck shell=bash
# Sourced by scripts that start on a bare machine.
#
#     need_packages ninja=ninja-build boost/version.hpp=libboost-dev
#
# Each argument is PROOF=PACKAGE: a command, a header under an include directory or an absolute path (with wildcards),
# and the Debian package that brings it. What is missing is installed with apt when root or sudo is at hand; otherwise the function lists exactly
# what is missing and returns 1. It asks for nothing on a terminal that is not there.

has_proof()
{
    local proof=$1 directory
    case $proof in
    /*) compgen -G "$proof" >/dev/null ;;
    *.h | *.hpp)
        for directory in /usr/include /usr/local/include /usr/include/*-linux-gnu; do
            [ -e "$directory/$proof" ] && return 0
        done
        return 1
        ;;
    *) command -v "$proof" >/dev/null 2>&1 ;;
    esac
}

missing_packages()
{
    local pair
    for pair in "$@"; do
        has_proof "${pair%%=*}" || printf '%s\n' "${pair#*=}"
    done
}

need_packages()
{
    local missing=() as_root=()
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -eq 0 ] && return 0

    if [ "$(id -u)" -ne 0 ]; then
        if [ -t 0 ] && command -v sudo >/dev/null 2>&1; then
            as_root=(sudo)
        elif command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1; then
            as_root=(sudo -n)
        else
            printf 'Missing Debian packages: %s\nInstall them as root: apt-get install %s\n' \
                "${missing[*]}" "${missing[*]}" >&2
            return 1
        fi
    fi
    if ! command -v apt-get >/dev/null 2>&1; then
        printf 'Missing, and there is no apt-get here to install it; under Debian it is: %s\n' "${missing[*]}" >&2
        return 1
    fi

    printf 'installing: %s\n' "${missing[*]}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null 2>&1; then
        # The package lists may be missing or old.
        "${apt[@]}" update </dev/null >/dev/null &&
            "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -eq 0 ] && return 0
    printf 'These Debian packages could not be installed: %s\n' "${missing[*]}" >&2
    return 1
}
