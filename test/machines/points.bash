# shellcheck shell=bash
# What the scripts of the machines print: TAP.

points=0
# point NAME: by the status of what came before.
point() {
    local status=$?
    points=$((points + 1))
    if [ "$status" -eq 0 ]; then
        printf 'ok %d %s\n' "$points" "$1"
        return
    fi
    printf 'not ok %d %s\n' "$points" "$1"
    printf '%s\n' "${output-}" | sed 's/^/# /'
}

skip_all() {
    printf '1..0 # SKIP %s\n' "$1"
    exit 0
}

points_end() { printf '1..%d\n' "$points"; }
