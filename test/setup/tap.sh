# Counts the points of programs that speak TAP; jobs.sh runs them. Sourced after say.sh.
# shellcheck shell=bash

tap_results=             # the folder for outputs
tap_verbose=no           # yes: a line for each passed point
tap_ender=:              # the function that ends what runs
tap_passed=0
tap_failed=0
tap_skipped=0
tap_skips=()
tap_failures=()

tap_be_verbose() {
    tap_verbose=yes
}

# tap_begin FOLDER
# Outputs are kept in FOLDER. Descriptor 3 becomes a copy of standard output.
tap_begin() {
    tap_results=$1
    mkdir -p "$tap_results"
    exec 3>&1
    trap tap_interrupted INT TERM HUP
}

# tap_point LABEL RESULT [TEXT]
# Counts one point. RESULT is passed, failed or skipped; of a skip TEXT is the
# reason, and a skip without one fails.
tap_point() {
    local label=$1 result=$2 text=${3-}
    if [ "$result" = skipped ] && [ -z "$text" ]; then
        result=failed
        text="skipped without a reason"
    fi
    case $result in
        passed)
            tap_passed=$((tap_passed + 1))
            if [ "$tap_verbose" = yes ]; then printf '   ok      %s\n' "$label"; fi
            ;;
        skipped)
            tap_skipped=$((tap_skipped + 1))
            tap_skips+=("$label: $text")
            if [ "$tap_verbose" = yes ]; then printf '   skipped %s: %s\n' "$label" "$text"; fi
            ;;
        *)
            tap_failed=$((tap_failed + 1))
            tap_failures+=("$label${text:+: $text}")
            printf '   FAILED  %s\n' "$label${text:+: $text}"
            ;;
    esac
}

# tap_result_line LABEL LINE: counts an "ok" or "not ok" line. Returns 1 for other lines.
tap_result_line() {
    local label=$1 line=$2 result=passed name reason
    local pattern='^(not )?ok([[:space:]]+[0-9]+)?([[:space:]]+-)?([[:space:]]+(.*))?$'
    local directive='^(.*[^\\])?#[[:space:]]*([Ss][Kk][Ii][Pp]|[Tt][Oo][Dd][Oo])[^[:space:]]*[[:space:]]*(.*)$'
    [[ $line =~ $pattern ]] || return 1
    if [ -n "${BASH_REMATCH[1]}" ]; then result=failed; fi
    name=${BASH_REMATCH[5]} reason=
    if [[ $name =~ $directive ]]; then
        name=${BASH_REMATCH[1]} reason=${BASH_REMATCH[3]}
        case ${BASH_REMATCH[2],,}-$result in
            skip-passed) result=skipped ;;
            # An expected failure is a known gap; one that passes has to be looked at.
            todo-failed) result=skipped reason="known gap: $reason" ;;
            todo-passed) result=failed reason="passes, but is marked as a known gap" ;;
        esac
    fi
    name=${name%"${name##*[![:space:]]}"}
    tap_point "$label: ${name:-unnamed}" "$result" "$reason"
}

# tap_count LABEL STATUS FILE
# Counts the points of FILE, the output of a program that ended with STATUS. What
# the points do not show fails as well: a wrong plan, a bad end, no point at all.
tap_count() {
    local LC_ALL=C # output need not be in any encoding
    local label=$1 status=$2 file=$3 line points=0 planned='' bailed='' failed_before=$tap_failed
    local plan='^1\.\.([0-9]+)([[:space:]]*#[[:space:]]*[Ss][Kk][Ii][Pp][^[:space:]]*[[:space:]]*(.*))?$'
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line%$'\r'}
        if tap_result_line "$label" "$line"; then
            points=$((points + 1))
        elif [[ $line =~ $plan ]]; then
            planned=${BASH_REMATCH[1]}
            if [ "$planned" = 0 ]; then tap_point "$label" skipped "${BASH_REMATCH[3]}"; fi
        elif [[ $line == 'Bail out!'* ]]; then
            bailed=$line
        fi
    done < <(tr -d '\000' <"$file")
    if [ -n "$bailed" ]; then
        tap_point "$label" failed "$bailed"
    elif [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
        tap_point "$label" failed "ran out of time after $points points"
    elif [ -z "$planned" ]; then
        tap_point "$label" failed "no plan, status $status"
    elif [ "$planned" -ne "$points" ]; then
        tap_point "$label" failed "$points points instead of $planned, status $status"
    elif [ "$status" -ne 0 ] && [ "$tap_failed" -eq "$failed_before" ]; then
        tap_point "$label" failed "status $status, but no point failed"
    fi
}

# tap_log_name LABEL: where the output of LABEL is kept.
tap_log_name() {
    printf '%s/%s.log\n' "$tap_results" "${1//[!A-Za-z0-9._-]/-}"
}

# tap_summary LABEL SECONDS PASSED FAILED SKIPPED: one line of what came since those counts.
tap_summary() {
    local label=$1 passed=$((tap_passed - $3)) failed=$((tap_failed - $4)) skipped=$((tap_skipped - $5)) text
    text="$passed passed"
    if [ "$failed" -gt 0 ]; then text+=", $failed FAILED"; fi
    if [ "$skipped" -gt 0 ]; then text+=", $skipped skipped"; fi
    printf '   %-44s %s, %.0f s\n' "$label" "$text" "$2"
}

# tap_at_interrupt FUNCTION: what ends that which runs, before an end from outside is counted.
tap_at_interrupt() {
    tap_ender=$1
}

# An end from outside. The count line comes nevertheless, and never looks like success.
tap_interrupted() {
    trap '' INT TERM HUP # timeout sends two
    exec >&3
    "$tap_ender"
    tap_point "the run" failed "interrupted after $SECONDS s"
    tap_finish || true
    exit 1
}

# tap_hand_over FILE: leaves the counts to a later process, which takes them with
# tap_take_over FILE and goes on.
tap_hand_over() {
    local text
    {
        printf '%d %d %d\n' "$tap_passed" "$tap_failed" "$tap_skipped"
        for text in "${tap_skips[@]}"; do printf 'skip %s\n' "$text"; done
        for text in "${tap_failures[@]}"; do printf 'fail %s\n' "$text"; done
    } >"$1"
}

tap_take_over() {
    local kind text
    {
        read -r tap_passed tap_failed tap_skipped
        while read -r kind text; do
            if [ "$kind" = skip ]; then tap_skips+=("$text"); else tap_failures+=("$text"); fi
        done
    } <"$1"
}

# The end of the whole run. Returns 1 where something failed or nothing ran.
tap_finish() {
    local text
    if [ "${#tap_skips[@]}" -gt 0 ]; then
        printf '\nSkipped:\n'
        for text in "${tap_skips[@]}"; do printf '   %s\n' "$text"; done
    fi
    if [ "${#tap_failures[@]}" -gt 0 ]; then
        printf '\nFailed:\n'
        for text in "${tap_failures[@]}"; do printf '   %s\n' "$text"; done
    fi
    printf '\n%d passed, %d failed, %d skipped\n' "$tap_passed" "$tap_failed" "$tap_skipped"
    [ "$tap_failed" -eq 0 ] && [ $((tap_passed + tap_skipped)) -gt 0 ]
}
