# Runs programs several at a time. Each has its output in a file of its own, which is
# counted, and shown where that is called for, when the program ends: what the user sees is
# never mixed. Sourced after tap.sh.
# shellcheck shell=bash
#
#   jobs_start KIND LABEL SECONDS COMMAND [ARG...]   as soon as there is room
#   jobs_later KIND LABEL SECONDS COMMAND [ARG...]   alone, when all others have ended
#   jobs_finish LABEL                                waits for that one; its status
#   jobs_finish_all                                  waits for all, those for later too
#
# KIND says what of the program counts:
#   tap     what it prints, which is TAP
#   point   that it ends with 0, as one point
#   shown   the same; its output is shown in any case
# It may run for SECONDS. COMMAND is a program, not a function.
#
# A line for each is written to the file "times" beside the outputs: the seconds that it
# took, those of processors in user and in system mode, and the label.

jobs_most=1        # at a time
jobs_folder=       # of their outputs
jobs_fd=           # where workers say that they have ended
jobs_count=0       # of those that were started; their numbers count from 1
jobs_waiting=()    # for when nothing else runs, quoted for eval
declare -A jobs_process=()  # the workers that run, by number
declare -A jobs_what=()     # their kinds and labels, by number
declare -A jobs_status=()   # of those that have ended, by label

# jobs_begin FOLDER MOST: up to MOST at a time, with their outputs in FOLDER. After tap_begin.
jobs_begin() {
    local pipe=$1/jobs.pipe
    jobs_folder=$1 jobs_most=$2
    : >"$1/times"
    rm -f "$pipe"
    mkfifo "$pipe"
    exec {jobs_fd}<>"$pipe"
    rm -f "$pipe"
    tap_at_interrupt jobs_interrupted
}

# Ends with the status of COMMAND, or with 124 or 137 when it had to be ended. COMMAND is
# waited for in the background, where a trap need not wait for it; what the shell ignores
# on behalf of background processes is set right again. It has a session of its own, as
# launches of one session meet.
jobs_work() {
    local number=$1 limit=$2 log=$3 status=0 child='' TIMEFORMAT='%1R %1U %1S'
    shift 3
    trap 'trap "" TERM HUP; if [ -n "$child" ]; then kill "$child"; wait "$child"; fi; exit 143' TERM HUP
    {
        time {
            setsid env --default-signal timeout -k 10 "$limit" "$@" </dev/null >"$log" 2>&1 3>&- {jobs_fd}>&- &
            child=$!
            wait "$child" || status=$?
        }
    } 2>"$log.time"
    printf '%d\n' "$number" >&"$jobs_fd"
    exit "$status"
}

jobs_start() {
    local kind=$1 label=$2 limit=$3 log
    shift 3
    log=$(tap_log_name "$label")
    while [ "${#jobs_process[@]}" -ge "$jobs_most" ]; do jobs_reap; done
    jobs_count=$((jobs_count + 1))
    unset "jobs_status[$label]"
    jobs_what[$jobs_count]="$kind $label"
    : >"$log"
    : >"$log.time"
    jobs_work "$jobs_count" "$limit" "$log" "$@" &
    jobs_process[$jobs_count]=$!
}

jobs_later() {
    jobs_waiting+=("$(printf '%q ' "$@")")
}

# jobs_next: waits until a worker has ended, and leaves its number in NUMBER.
jobs_next() {
    local seen
    while :; do
        if IFS= read -r -t 5 -u "$jobs_fd" seen; then
            number=$seen
            if [ -n "${jobs_process[$number]-}" ]; then return; fi
        else
            # One that was killed says nothing.
            for number in "${!jobs_process[@]}"; do
                if ! kill -0 "${jobs_process[$number]}" 2>/dev/null; then return; fi
            done
        fi
    done
}

# jobs_reap: waits until one has ended, and counts it.
jobs_reap() {
    local number kind label status=0
    jobs_next
    read -r kind label <<<"${jobs_what[$number]}"
    wait "${jobs_process[$number]}" || status=$?
    unset "jobs_process[$number]"
    jobs_account "$kind" "$label" "$status"
    jobs_status[$label]=$status
}

# jobs_account KIND LABEL STATUS: what came of one that has ended.
jobs_account() {
    local kind=$1 label=$2 status=$3 log real=0 times before=("$tap_passed" "$tap_failed" "$tap_skipped")
    log=$(tap_log_name "$label")
    times=$(tail -n 1 "$log.time") && [[ $times =~ ^[0-9.]+\ [0-9.]+\ [0-9.]+$ ]] || times='0 0 0'
    rm -f "$log.time"
    real=${times%% *}
    printf '%s %s\n' "$times" "$label" >>"$jobs_folder/times"
    if [ "$kind" = tap ]; then
        tap_count "$label" "$status" "$log"
    elif [ "$status" -eq 0 ]; then
        tap_point "$label" passed
    else
        tap_point "$label" failed "status $status after $real s; all of its output: $log"
    fi
    if [ "$tap_failed" -gt "${before[1]}" ] || [ "$kind" = shown ]; then
        grep -av '^ok' "$log" | tail -n 200 | sed 's/^/      /' || true
    fi
    tap_summary "$label" "$real" "${before[@]}"
}

jobs_finish() {
    while [ -z "${jobs_status[$1]-}" ]; do jobs_reap; done
    return "${jobs_status[$1]}"
}

jobs_finish_all() {
    local words
    while [ "${#jobs_process[@]}" -gt 0 ]; do jobs_reap; done
    for words in "${jobs_waiting[@]}"; do
        eval "jobs_start $words"
        jobs_reap
    done
    jobs_waiting=()
}

# An end from outside: what runs ends, with all that it started.
jobs_interrupted() {
    local number
    for number in "${!jobs_process[@]}"; do kill "${jobs_process[$number]}" 2>/dev/null || true; done
    for number in "${!jobs_process[@]}"; do wait "${jobs_process[$number]}" 2>/dev/null || true; done
}

# jobs_slowest N: prints the N that took longest.
jobs_slowest() {
    sort -rn "$jobs_folder/times" | head -n "$1" |
        awk '{ seconds = $1; sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); printf "%s%s %.0f s", (NR > 1 ? ", " : ""), $0, seconds }'
}
