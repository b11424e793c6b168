#!/bin/bash
# `make install` puts nothing anywhere that has a setuid or setgid bit or a file
# capability.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

if ! env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s install DESTDIR="$scratch/installed" >"$scratch/log" 2>&1; then
    tap_result "make install" "$(cat "$scratch/log")"
    tap_done
    exit
fi

find "$scratch/installed" -type f -executable -printf '%f\n' | sort >"$scratch/programs"
tap_result "the programs are installed" \
    "$(printf '%s\n' coracle coracle-record | comm -23 - "$scratch/programs" | sed 's/$/ is missing/')"
tap_result "no setuid or setgid bit" "$(find "$scratch/installed" -type f -perm /6000)"
if command -v getcap >/dev/null; then
    tap_result "no file capability" "$(getcap -r "$scratch/installed")"
else
    tap_skip "no file capability" "getcap is not installed"
fi
tap_done
