# Messages, and progress of slow steps. Sourced.
# shellcheck shell=bash

say() {
    printf '== %s\n' "$*"
}

# die MESSAGE [WAY-OUT]
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    if [ $# -gt 1 ]; then printf '%s\n' "$2" >&2; fi
    exit 1
}

# One line that is rewritten on a terminal, one line every ten seconds elsewhere.
say_ticks() {
    local what=$1 log=$2 parent=$3 start=$SECONDS elapsed latest
    # The sleep must not hold our output open after we are killed.
    while sleep 1 >/dev/null 2>&1 && kill -0 "$parent" 2>/dev/null; do
        elapsed=$((SECONDS - start))
        latest=$(tail -n 1 "$log" 2>/dev/null | tr -dc '[:print:]' | cut -c 1-50) || latest=
        if [ -t 1 ]; then
            printf '\r   %s: %d s  %-50s' "$what" "$elapsed" "$latest"
        elif [ $((elapsed % 10)) -eq 0 ]; then
            printf '   %s: %d s  %s\n' "$what" "$elapsed" "$latest"
        fi
    done
}

# slow WHAT LOG COMMAND [ARG...]
# Runs COMMAND with its output in LOG and shows that time passes. On failure the
# end of LOG is shown; the status is COMMAND's. COMMAND may be a function, which
# then runs without set -e.
slow() {
    local what=$1 log=$2 start=$SECONDS ticks status=0
    shift 2
    : >"$log"
    # In the background is the clock and not the work, so that an interrupt ends the work.
    say_ticks "$what" "$log" $$ &
    ticks=$!
    "$@" >>"$log" 2>&1 </dev/null || status=$?
    kill "$ticks" 2>/dev/null || true
    wait "$ticks" 2>/dev/null || true
    if [ -t 1 ]; then printf '\r\033[K'; fi
    if [ "$status" -eq 0 ]; then
        printf '   %s: done in %d s\n' "$what" $((SECONDS - start))
    else
        tail -n 40 "$log" >&2
        printf '   %s: failed with status %d after %d s; all of its output: %s\n' \
            "$what" "$status" $((SECONDS - start)) "$log" >&2
    fi
    return "$status"
}
