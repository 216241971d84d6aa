# shellcheck shell=bash
# What scripts/demo and scripts/check share. Sourced, never run.

# The root of the repository, wherever the script was called from.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export ROOT

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    BOLD=$'\e[1m' GREEN=$'\e[32m' RED=$'\e[31m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
    BOLD='' GREEN='' RED='' DIM='' PLAIN=''
fi
export BOLD GREEN RED DIM PLAIN

# Says why the script ends, and ends it.
die() { # CODE WORDS...
    local code=$1
    shift
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit "$code"
}

# Makes a folder, and ends with exit code 6 where nothing can be written.
need_writable() { # FOLDER
    if ! mkdir -p "$1" 2>/dev/null || [ ! -w "$1" ]; then
        die 6 "cannot write to $1: whose clone is this?"
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Prints those of the named Debian packages that are not installed.
missing_packages() { # PACKAGE...
    local package state
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" \
            2>/dev/null || true)
        [ "$state" = installed ] || printf '%s\n' "$package"
    done
}

# Ends with exit code 6 and the list of what has to be installed.
cannot_install() { # WHY PACKAGE...
    local why=$1
    shift
    {
        printf '%s\n' "$why"
        printf '  %s\n' "$@"
        printf 'Install them, then run this again.\n'
    } >&2
    exit 6
}

# Installs what is missing of the named packages, and only that.
need_packages() { # PACKAGE...
    local missing
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null
    then
        cannot_install "This is not a Debian system; with --no-install \
these packages are taken to be there under other names:" "$@"
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        cannot_install "These Debian packages are missing, and without root \
or sudo they cannot be installed:" "${missing[@]}"
    fi
    printf 'Installing: %s\n' "${missing[*]}"
    if ! as_root apt-get update -qq ||
        ! as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${missing[@]}"
    then
        mapfile -t missing < <(missing_packages "$@")
        cannot_install "apt-get could not install these packages:" \
            "${missing[@]}"
    fi
}

# The packages that the command itself is built with.
build_packages() {
    if ! command -v cc >/dev/null; then
        printf 'gcc\nlibc6-dev\n'
    fi
    printf '%s\n' cmake ninja-build pkg-config libssl-dev libjansson-dev \
        libp11-kit-dev \
        libcurl4-openssl-dev \
        libhidapi-dev
}

# What `keywright primitives page` adds: its engine is WebAssembly.
page_packages() {
    printf '%s\n' clang lld
}
