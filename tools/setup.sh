#!/bin/sh
# Installs the packages of packages.txt that are missing. Silent when none is.
set -eu

list=$(dirname "$0")/packages.txt
wanted=$(sed 's/#.*//' "$list" | tr -s ' \t\n' ' ')

say() {
    printf 'set-up: %s\n' "$*"
}

if ! command -v dpkg-query >/dev/null 2>&1; then
    say "this is no Debian system: the packages of tools/packages.txt are not looked for"
    exit 0
fi

# A package that dpkg never heard of makes dpkg-query fail, so its status is not looked at.
# shellcheck disable=SC2086
present=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
    sed -n 's/ installed$//p' | tr '\n' ' ') || true

missing=
for package in $wanted; do
    case " $present " in
    *" $package "*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        say "missing:$missing"
        say "neither root nor sudo here; as root: apt-get install --no-install-recommends$missing"
        exit 1
    fi
    as_root=sudo
fi

say "installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run_apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >"$log" 2>&1
}

# Old package lists may still do when the network answers badly, so only the install decides.
run_apt update || say "apt-get update failed; trying with the package lists that are here"
# shellcheck disable=SC2086
if ! run_apt install --no-install-recommends $missing; then
    tail -n 15 "$log"
    say "could not install$missing"
    say "this step needs Debian 12's package archive (network, or a mirror in sources.list)"
    exit 1
fi
say "done"
