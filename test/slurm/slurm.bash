# Loaded by the tests on the Slurm test bed behind e2e/helpers: jobs of an ordinary user.
#
# From outside, as test/slurm/run gives it:
#   SLURM_CONF   the bed's; without it the tests are skipped
#   TMPDIR       a folder that all nodes see, for all that the tests write
#
# For tests:
#   NODES        how many there are
#   LIMITS       yes where cgroups track and limit the jobs
#   JOB_NAME     the name of all jobs of the test, by which teardown ends them
#
# A job that hangs fails: each is given up after a minute.
# shellcheck shell=bash

# need_bed: and jobs whose environment is as after a login.
need_bed() {
    [[ ${1-} ]] || skip 'needs the Slurm test bed: test/slurm/run, as root'
    need srun sinfo timeout
    # What users have in there is a node's own, and no node of the bed has one.
    unset XDG_RUNTIME_DIR
    JOB_NAME=test-$$-$RANDOM$RANDOM
    export SLURM_CONF=$1 SLURM_JOB_NAME=$JOB_NAME SBATCH_JOB_NAME=$JOB_NAME
    NODES=$(sinfo -h -o %D)
    LIMITS=no
    ! grep -q '^ProctrackType=proctrack/cgroup' "$SLURM_CONF" || LIMITS=yes
    [[ $NODES -ge 2 ]] || report 'two nodes are needed'
}

# bed_setup: for tests of the bed. jobs_setup: for those that run coracle in jobs; IMAGES are one
# image of each kind, a directory and, where that can be, a file.
bed_setup() {
    local conf=${SLURM_CONF-}
    clean_environment
    need_bed "$conf"
}

jobs_setup() {
    local conf=${SLURM_CONF-}
    standard_setup && need_bed "$conf" || return
    TREE=$IMAGE
    IMAGES=("$TREE")
    if command -v mksquashfs >/dev/null && server_program >/dev/null && [[ -c /dev/fuse ]]; then
        pack "$BATS_TEST_TMPDIR/image.sqfs" || return
        IMAGES+=("$IMAGE")
    fi
}

# each_image FUNCTION: with each image as IMAGE; without test/run --long with one, in turn from test to test.
each_image() {
    local tried=("${IMAGES[@]}")
    [[ ${CORACLE_TEST_LONG-} ]] || tried=("${IMAGES[BATS_TEST_NUMBER % ${#IMAGES[@]}]}")
    for IMAGE in "${tried[@]}"; do
        "$1" || report "with the image $IMAGE" || return
    done
    [[ ${#IMAGES[@]} -eq 2 ]] || skip 'tried with a directory only: no mksquashfs, coracle-fuse or /dev/fuse here'
}

bed_teardown() {
    scancel --quiet --signal=KILL --full --name "$JOB_NAME" 2>/dev/null || true
    scancel --quiet --name "$JOB_NAME" 2>/dev/null || true
    in_time 20 no_jobs_left
}

no_jobs_left() { [[ -z $(squeue -h -n "$JOB_NAME" -o %A) ]]; }

# in_time SECONDS COMMAND...: waits that long at most for COMMAND to succeed.
in_time() {
    local end=$((SECONDS + $1))
    until "${@:2}"; do
        ((SECONDS < end)) || report "waited $1 s in vain for: ${*:2}" || return
        sleep 0.1
    done
}

# step ARG...: captures srun.
step() { capture timeout -k 5 60 srun -Q "$@"; }

# on_nodes NODES SCRIPT [ARG...]: captures one task on each of so many.
on_nodes() { step "-N$1" "-n$1" --ntasks-per-node=1 sh -c "$2" sh "${@:3}"; }

# batch SCRIPT [OPTION...]: captures `sbatch -W` of a bash script, whose output is in FILE, by default job.out.
batch() {
    printf '#!/bin/bash\n%s\n' "$1" >job.sh
    capture timeout -k 5 150 sbatch -W -N1 -o job.out "${@:2}" job.sh
}

# allocate OPTION...: an allocation that later steps name by --jobid=$JOB.
allocate() {
    JOB=$(timeout 60 salloc -Q -J "$JOB_NAME" --no-shell "$@" 2>&1) || report "no allocation: $JOB" || return
    JOB=$(squeue -h -n "$JOB_NAME" -t running -o %A | sort -n | tail -n 1)
    [[ $JOB ]] || report 'there is no allocation'
}

# assert_all_different LINE...: no two of them are equal.
assert_all_different() {
    [[ $(printf '%s\n' "$@" | sort -u | wc -l) -eq $# ]] || report "expected to be all different: $*"
}

need_limits() { [[ $LIMITS == yes ]] || skip 'no cgroups that Slurm could use here: nothing limits or tracks a job'; }
