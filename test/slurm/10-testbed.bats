#!/usr/bin/env bats
# The test bed itself: nodes that are machines of their own, limits, arrays, a private
# /tmp, MPI. What fails here is no fault of coracle.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load ../e2e/helpers
load slurm

setup() { bed_setup; }
teardown() { bed_teardown; }

@test "each node has a name of its own" {
    on_nodes 2 hostname
    assert_success
    assert_all_different "${lines[@]}" "$(hostname)"
    assert_equal "${#lines[@]}" 2
}

@test "each node has processes, shared memory, IPC and mounts of its own" {
    local space
    for space in pid ipc uts mnt; do
        on_nodes 2 'readlink "/proc/self/ns/$1"' "$space"
        assert_success
        assert_equal "${#lines[@]}" 2
        assert_all_different "${lines[@]}" "$(readlink "/proc/self/ns/$space")"
    done
    on_nodes 2 'ps -e -o args= | grep "^slurmd "'
    assert_success
    assert_equal "${#lines[@]}" 2
}

@test "/tmp, /var/tmp and /dev/shm are a node's own, the rest is not" {
    local dir
    for dir in /tmp /var/tmp /dev/shm; do
        on_nodes 2 'cd "$1" && : >"own-$SLURM_NODEID-$2" && sleep 0.3 && ls | grep -c "^own-.*-$2"; rm -f own-*-"$2"' \
            "$dir" "$JOB_NAME"
        assert_output $'1\n1'
    done
    on_nodes 2 ': >"own-$SLURM_NODEID" && until [ $(ls own-* | wc -l) = 2 ]; do sleep 0.1; done; echo both'
    assert_output $'both\nboth'
}

@test "/dev/fuse is open to users" {
    [[ -c /dev/fuse ]] || skip 'this machine has no /dev/fuse'
    on_nodes 2 'exec 5<>/dev/fuse && stat -c %a /dev/fuse'
    assert_output $'666\n666'
}

@test "a node takes 64 ranks, whatever this machine has" {
    step -N2 -n128 --ntasks-per-node=64 hostname
    assert_success
    assert_equal "$(printf '%s\n' "${lines[@]}" | sort | uniq -c | awk '{ printf "%s ", $1 }')" '64 64 '
}

@test "exit statuses and signals come back" {
    step sh -c 'exit 7'
    assert_status 7
    step sh -c 'kill -SEGV $$'
    assert_status 139
}

@test "sbatch: output, status and arguments of a script" {
    batch 'echo "on $(hostname) as $(id -un) with $SLURM_JOB_NAME"; exit 3'
    assert_status 3
    [[ $(<job.out) == "on "*" as $(id -un) with $JOB_NAME" ]] || report "output of the job: $(<job.out)"
}

@test "a job array: each with an index of its own" {
    batch 'echo "index $SLURM_ARRAY_TASK_ID"' --array=3-7 -o 'array.%a'
    assert_success
    assert_equal "$(cat array.*)" "$(printf 'index %d\n' 3 4 5 6 7)"
    assert_equal "$(cat array.5)" 'index 5'
}

# What has so many MiB for a while.
FILL='set -o pipefail; head -c "$(($1 + 1))M" /dev/zero | tail -c "${1}M" | { sleep 0.5; wc -c; }'

@test "a job's memory is limited" {
    need_limits
    step -n1 --mem=100M bash -c "$FILL" bash 60
    assert_output $((60 << 20))
    step -n1 --mem=100M bash -c "$FILL" bash 150
    [[ $status -ne 0 ]] || report 'it has more than it may have'
    assert_stderr_has 'Out Of Memory'
    assert_output_lacks $((150 << 20))
}

@test "the limit is one of a job's steps together" {
    need_limits
    printf '%s\n' "$FILL" >fill.sh
    # Two that each have less, and together more.
    batch 'srun -n1 --mem=0 --overlap bash fill.sh 60
        for i in 1 2; do srun -n1 --mem=0 --overlap bash fill.sh 60 & done; wait' --mem=100M
    [[ $(head -n 1 job.out) == $((60 << 20)) ]] || report "a small step failed: $(<job.out)"
    grep -q 'Out Of Memory' job.out || report "both had enough: $(<job.out)"
}

@test "what a job puts into the background ends with it" {
    need_limits
    step -n1 sh -c 'setsid setsid sleep 4711 >/dev/null 2>&1 </dev/null & echo started'
    assert_output started
    in_time 10 no_process 'sleep 4711'
}
no_process() { ! pgrep -u "$(id -u)" -f "^$1\$" >/dev/null; }

@test "each job has a /tmp of its own, and its steps share it" {
    grep -q '^JobContainerType=job_container/tmpfs' "$SLURM_CONF" || skip 'the bed is up with --no-private-tmp'
    local probe
    probe=$(mktemp /tmp/bed-XXXXXX)
    step -N1 -w "$(first_node)" sh -c 'ls -A /tmp; stat -c %U /tmp; echo mine >/tmp/mine'
    rm -f "$probe"
    assert_output "$(id -un)"
    step -N1 -w "$(first_node)" ls -A /tmp
    assert_output ''
    batch 'srun -N1 -n1 sh -c "echo of a step >/tmp/file; echo shm >/dev/shm/file"
        srun -N1 -n1 cat /tmp/file /dev/shm/file'
    assert_success
    assert_equal "$(<job.out)" $'of a step\nshm'
}
first_node() { sinfo -h -N -o %N | sort | head -n 1; }

@test "scancel: TERM, and KILL for what ignores it" {
    timeout -k 5 60 srun -Q -n1 bash -c 'trap "echo terminated; exit 0" TERM; echo ready; while :; do sleep 0.1; done' \
        >out 2>err 3>&- &
    in_time 20 grep -q ready out
    scancel --name "$JOB_NAME"
    in_time 20 grep -q terminated out
    timeout -k 5 60 srun -Q -n1 bash -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done' >out2 2>err2 3>&- &
    in_time 20 grep -q ready out2
    scancel --name "$JOB_NAME"
    in_time 30 no_jobs_left
    wait
}

@test "Open MPI of the host: two nodes, two ranks each, by PMIx" {
    need mpicc
    mpicc -o ranks "$BATS_TEST_DIRNAME/ranks.c"
    step --mpi=pmix -N2 -n4 --ntasks-per-node=2 ./ranks
    assert_success
    assert_equal "$(printf '%s\n' "${lines[@]}" | cut -d ' ' -f 1-4,9-10 | sort)" "$(printf 'rank %d of 4 sum 6\n' 0 1 2 3)"
    assert_equal "$(printf '%s\n' "${lines[@]}" | cut -d ' ' -f 6 | sort -u | wc -l)" 2
}

@test "steps of steps, and srun from a node" {
    batch 'srun -N1 -n1 --mem=0 sh -c "srun -N1 -n1 --overlap --mem=0 hostname"; hostname'
    assert_success
    mapfile -t lines <job.out
    [[ ${#lines[@]} -eq 2 ]] || report "$(<job.out)"
    assert_equal "${lines[0]}" "${lines[1]}"
}

@test "a heterogeneous job" {
    step -N1 -n1 sh -c 'echo "component $SLURM_PROCID"' : -N1 -n2 sh -c 'echo "component $SLURM_PROCID"'
    assert_success
    assert_equal "$(printf '%s\n' "${lines[@]}" | sort | tr '\n' ,)" 'component 0,component 1,component 2,'
}
