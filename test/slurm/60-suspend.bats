#!/usr/bin/env bats
# Jobs that are stopped and go on, and jobs that begin anew.
#
# Runs as root, as test/slurm/run has it: only an operator may suspend a job.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154,SC2317

load ../e2e/helpers
load ../e2e/squashfs
load slurm

setup() {
    [[ ${TEST_UP-} ]] || skip 'needs test/slurm/run, as root'
    is_root || skip 'needs root: only an operator may suspend a job'
    jobs_setup
    # The images and the job's files lie where all nodes see them and the user may write.
    SHARED=$(realpath "$(dirname "$CORACLE")/../tmp")
    OWNER=$(stat -c %u "$SHARED")
    PLACE=$(mktemp -d "$SHARED/suspend.XXXXXX")
    cp -a "${IMAGES[@]}" "$PLACE"
    chown -R "$OWNER" "$PLACE"
    IMAGES=("${IMAGES[@]/#*\//$PLACE/}")
    cd "$PLACE" || return
}

teardown() {
    if [[ ${JOB_NAME-} ]]; then bed_teardown; fi
    if [[ ${PLACE-} ]]; then rm -rf "$PLACE"; fi
}

as_owner() {
    setpriv --reuid="$OWNER" --regid="$(stat -c %g "$PLACE")" --clear-groups env -C "$PLACE" "HOME=$PLACE" \
        "SLURM_CONF=$SLURM_CONF" "CORACLE=$CORACLE" "IMAGE=$IMAGE" "$@"
}

# start SCRIPT [OPTION...]: a job whose number is in JOB, as the owner.
start() {
    rm -f out go started
    printf '#!/bin/bash\n%s\n' "$1" >job.sh
    JOB=$(as_owner timeout 60 sbatch --parsable -J "$JOB_NAME" -o out "${@:2}" job.sh) || report 'no job' || return
    in_time 60 test -e started
}

state_is() { [[ $(squeue -h -j "$JOB" -o %T) == "$1" ]]; }

# Two looks of the broker at its servers are 5 s apart: a server that is stopped with
# its whole job is none that hangs.
suspended() {
    start 'srun -n2 "$CORACLE" run "$IMAGE" -- sh -c ": >started; until [ -e go ]; do sleep 0.1; cat /etc/image-release; done >read; cat /etc/image-release"' -n2 || return
    scontrol suspend "$JOB"
    in_time 20 state_is SUSPENDED || return
    sleep 13
    scontrol resume "$JOB"
    in_time 20 state_is RUNNING || return
    sleep 7
    as_owner touch go
    in_time 30 no_jobs_left || return
    assert_equal "$(<out)" $'image name\nimage name'
}

@test "a suspended job goes on: no server is taken for one that hangs" { each_image suspended; }

requeued() {
    start 'coracle() { srun -n1 "$CORACLE" "$@"; }
        coracle run "$IMAGE" -- sh -c "echo run \${SLURM_RESTART_COUNT-0}; : >started; until [ -e go ]; do sleep 0.1; done; echo end"' \
        --requeue --open-mode=append || return
    rm started
    as_owner scontrol requeue "$JOB"
    # By itself it would begin after two minutes. Slurm takes the first run's private
    # /tmp away behind its end, and would take away that of a second which began at once.
    in_time 20 state_is PENDING || return
    sleep 4
    scontrol update jobid="$JOB" StartTime=now || return
    in_time 60 test -e started || report "$(<out)" || return
    as_owner touch go
    in_time 30 no_jobs_left || return
    assert_equal "$(grep -E '^(run|end)' out | tr '\n' ' ')" 'run 0 run 1 end '
}

@test "a requeued job begins anew" {
    IMAGE=${IMAGES[-1]}
    requeued
}
