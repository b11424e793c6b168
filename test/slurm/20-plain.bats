#!/usr/bin/env bats
# Coracle in Slurm's hands with no option at all: what a user sees of srun, sbatch,
# salloc and scancel is what he sees of a program of the host.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2089,SC2090,SC2154,SC2317

load ../e2e/helpers
load ../e2e/squashfs
load slurm

setup() { jobs_setup; }
teardown() { bed_teardown; }

# WHERE: what a rank prints of itself: host, user namespace, image.
WHERE='echo "$SLURM_PROCID $(hostname) $(readlink /proc/self/ns/user) $(cat /etc/image-release)"'

# distinct COLUMNS: these of the output, each combination once. count_of: how many.
distinct() { printf '%s\n' "${lines[@]}" | cut -d ' ' -f "$1" | sort -u; }
count_of() { distinct "$1" | wc -l; }

# --- ranks -----------------------------------------------------------------------

eight_ranks() {
    step -N2 -n8 --ntasks-per-node=4 "$CORACLE" run "$IMAGE" -- sh -c "$WHERE"
    assert_success || return
    assert_equal "$stderr" '' || return
    assert_equal "$(distinct 1 | tr '\n' ' ')" '0 1 2 3 4 5 6 7 ' || return
    assert_equal "$(distinct 4-)" 'image name' || return
    assert_equal "$(count_of 2)" 2 || return
    # Those of a node are in one namespace, and none is in the host's.
    assert_equal "$(count_of 2,3)" 2 || return
    assert_output_lacks "$(readlink /proc/self/ns/user)"
}

@test "eight ranks on two nodes: in the image, and those of a node together" { each_image eight_ranks; }

many_ranks() {
    step -N2 -n128 --ntasks-per-node=64 "$CORACLE" run "$IMAGE" -- sh -c "$WHERE"
    assert_success || return
    assert_equal "$stderr" '' || return
    assert_equal "${#lines[@]}" 128 || return
    assert_equal "$(count_of 2,3)" 2
}

@test "64 ranks on each node at once" { each_image many_ranks; }

@test "the command, its arguments, environment and working directory" {
    mkdir home/place
    cd home/place
    export PLACE="a value"
    step -n1 "$CORACLE" run "$IMAGE" -- sh -c 'pwd; echo "$PLACE"; printf "<%s>" "$@"; id -u' sh 'one two' '*' ''
    assert_output "$PWD"$'\na value\n<one two><*><>'"$(id -u)"
}

@test "two jobs on a node do not meet, steps of a job only with --share=job" {
    local job
    allocate -N1 -n4
    first=$(in_step "$CORACLE" run "$IMAGE" -- sh -c "$WHERE; sleep 3" & sleep 1; in_step "$CORACLE" run "$IMAGE" -- sh -c "$WHERE"; wait)
    mapfile -t lines <<<"$first"
    assert_equal "${#lines[@]}" 2
    assert_equal "$(count_of 3)" 2
    first=$(in_step "$CORACLE" run --share=job "$IMAGE" -- sh -c "$WHERE; sleep 3" & sleep 1
        in_step "$CORACLE" run --share=job "$IMAGE" -- sh -c "$WHERE"; wait)
    mapfile -t lines <<<"$first"
    assert_equal "${#lines[@]}" 2
    assert_equal "$(count_of 3)" 1
    job=$(sinfo -h -N -o %N | sort | head -n 1)
    first=$(timeout 30 srun -Q -n1 -w "$job" "$CORACLE" run "$IMAGE" -- sh -c "$WHERE; sleep 3" & sleep 1
        timeout 30 srun -Q -n1 -w "$job" "$CORACLE" run "$IMAGE" -- sh -c "$WHERE"; wait)
    mapfile -t lines <<<"$first"
    assert_equal "${#lines[@]}" 2
    assert_equal "$(count_of 2)" 1
    assert_equal "$(count_of 3)" 2
}
in_step() { timeout -k 5 60 srun -Q --jobid="$JOB" --overlap --mem=0 -N1 -n1 "$@"; }

# --- how it ends -----------------------------------------------------------------

statuses() {
    step -n1 "$CORACLE" run "$IMAGE" -- payload exit 7
    assert_status 7 || return
    step -n1 "$CORACLE" run "$IMAGE" -- payload raise 11
    assert_status 139 || return
    step -n1 "$CORACLE" run "$IMAGE" -- /no/such/command
    assert_status 127 || return
    step -n1 "$CORACLE" run "$IMAGE.missing" -- true
    assert_status 125
}

@test "exit statuses: of the command, of signals, of coracle itself" { each_image statuses; }

kill_the_others() {
    local start=$SECONDS
    step -n4 -K1 "$CORACLE" run "$IMAGE" -- sh -c '[ "$SLURM_PROCID" != 2 ] || { sleep 1; exit 9; }; sleep 50'
    [[ $status -ne 0 ]] || report 'srun says that all is well' || return
    ((SECONDS - start < 40)) || report 'the others went on'
}

@test "one rank fails: with -K srun ends the others" { each_image kill_the_others; }

caught_signals() {
    rm -f out
    timeout -k 5 60 srun -Q -n2 "$CORACLE" run "$IMAGE" -- \
        sh -c 'trap "echo got USR1" USR1; trap "echo got TERM; exit 0" TERM; echo ready; while :; do sleep 0.1; done' \
        >out 2>err 3>&- &
    in_time 20 lines_with 2 ready out || return
    scancel --signal=USR1 --name "$JOB_NAME"
    in_time 10 lines_with 2 'got USR1' out || return
    scancel --name "$JOB_NAME"
    in_time 10 lines_with 2 'got TERM' out || return
    wait $! || true
    in_time 20 no_jobs_left
}
lines_with() { [[ $(grep -c "$2" "$3") -eq $1 ]]; }

@test "scancel: a signal, and TERM, reach the application" { each_image caught_signals; }

ignored_term() {
    rm -f out
    timeout -k 5 60 srun -Q -N2 -n2 "$CORACLE" run "$IMAGE" -- \
        sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done' >out 2>err 3>&- &
    in_time 20 lines_with 2 ready out || return
    scancel --name "$JOB_NAME"
    wait $! || true
    in_time 20 no_jobs_left || return
    # The record and nothing else: the nodes' processes are in our own table as well.
    in_time 5 no_process_of_image
}
no_process_of_image() { ! pgrep -u "$(id -u)" -f "$BATS_TEST_TMPDIR" >/dev/null && ! pgrep -u "$(id -u)" '^coracle' >/dev/null; }

@test "scancel: KILL for what ignores TERM, and nothing runs on" { each_image ignored_term; }

# bats test_tags=long
@test "--signal comes before the time limit, and the limit ends the application" {
    # In a file: srun gets the signals too, and need not hand on what is said after them.
    batch 'srun -n1 "$CORACLE" run "$IMAGE" -- sh -c "trap \"echo got USR1 >>~/signals\" USR1
        trap \"echo got TERM >>~/signals; exit 0\" TERM; while :; do sleep 0.1; done"' -t 1 --signal=USR1@45
    grep -q 'DUE TO TIME LIMIT' job.out || report "another end: $(<job.out)"
    assert_equal "$(uniq home/signals)" $'got USR1\ngot TERM'
}

limited() {
    step -n1 --mem=100M "$CORACLE" run "$IMAGE" -- sh -c "$FILL" sh 60
    assert_output $((60 << 20)) || return
    assert_equal "$stderr" '' || return
    step -n1 --mem=100M "$CORACLE" run "$IMAGE" -- sh -c "$FILL" sh 150
    assert_output_lacks $((150 << 20)) || return
    assert_stderr_has 'Out Of Memory'
}
# What has so many MiB for a while.
FILL='dd if=/dev/zero bs="${1}M" count=1 2>/dev/null | { sleep 0.5; wc -c; }'

@test "the job's memory limit holds in the container" {
    need_limits
    each_image limited
}

# --- input and output ------------------------------------------------------------

streams() {
    head -c 3000001 /dev/urandom >data
    capture timeout 60 srun -Q -n1 "$CORACLE" run "$IMAGE" -- md5sum <data
    assert_output "$(md5sum <data)" || return
    capture timeout 60 srun -Q -n1 "$CORACLE" run "$IMAGE" -- sh -c 'cat; echo to stderr >&2; exit 3' <<<'to stdout'
    assert_status 3 || return
    assert_equal "$output" 'to stdout' || return
    assert_stderr_has 'to stderr' || return
    step -n3 -o 'rank.%t' "$CORACLE" run "$IMAGE" -- sh -c 'echo "rank $SLURM_PROCID"'
    assert_equal "$(cat rank.*)" $'rank 0\nrank 1\nrank 2'
}

@test "stdin, stdout and stderr, and a file for each rank" { each_image streams; }

terminal() {
    printf '%s\n' 'tty' 'echo "<$(cat /etc/image-release)>"' 'stty size' 'exit 5' >typed
    capture timeout -k 5 60 script -qec "srun -Q --pty $CORACLE shell $IMAGE" /dev/null <typed
    assert_status 5 || return
    assert_output_has '/dev/pts/' || return
    assert_output_has '<image name>'
}

@test "srun --pty coracle shell: a terminal" {
    need script
    each_image terminal
}

# --- kinds of jobs ---------------------------------------------------------------

in_batch() {
    batch 'coracle() { "$CORACLE" "$@"; }
        coracle run "$IMAGE" -- cat /etc/image-release
        srun -n2 "$CORACLE" run "$IMAGE" -- sh -c "echo step"
        exit 4' -n2
    assert_status 4 || return
    assert_equal "$(<job.out)" $'image name\nstep\nstep'
}

@test "sbatch: in the script itself and in its steps" { each_image in_batch; }

in_array() {
    rm -f array.*
    batch 'srun -n1 "$CORACLE" run "$IMAGE" -- sh -c "echo \"index \$SLURM_ARRAY_TASK_ID of \$(cat /etc/image-release)\""' \
        --array=1-6 -o 'array.%a'
    assert_success || return
    assert_equal "$(cat array.*)" "$(printf 'index %d of image name\n' 1 2 3 4 5 6)"
}

@test "a job array" { each_image in_array; }

@test "salloc: one allocation, steps on both nodes" {
    capture timeout 60 salloc -Q -J "$JOB_NAME" -N2 -n4 sh -c 'srun -n4 "$CORACLE" run "$IMAGE" -- hostname | sort | uniq -c
        srun -n2 -N2 "$CORACLE" run "$IMAGE" -- cat /etc/image-release'
    assert_success
    assert_equal "${#lines[@]}" 4
    assert_equal "${lines[2]},${lines[3]}" 'image name,image name'
}

@test "a heterogeneous job: an image for each component" {
    local other=$TREE.other
    cp -a "$TREE" "$other"
    echo other >"$other/etc/image-release"
    step -n2 "$CORACLE" run "${IMAGES[-1]}" -- cat /etc/image-release : -n3 "$CORACLE" run "$other" -- cat /etc/image-release
    assert_success
    assert_equal "$(printf '%s\n' "${lines[@]}" | sort | uniq -c | awk '{ print $1, $2 }' | tr '\n' ,)" '2 image,3 other,'
}

@test "a step from within a step" {
    batch 'srun -n1 --mem=0 sh -c "srun -n2 --overlap --mem=0 \"\$CORACLE\" run \"\$IMAGE\" -- cat /etc/image-release"' -n2
    assert_success
    assert_equal "$(<job.out)" $'image name\nimage name'
}

@test "an image that sbcast has put into the job's /tmp on each node" {
    [[ ${#IMAGES[@]} -eq 2 ]] || skip 'no SquashFS images: no mksquashfs, coracle-fuse or /dev/fuse here'
    export WHERE
    batch 'sbcast "$IMAGE" /tmp/image.sqfs && srun -N2 -n4 "$CORACLE" run /tmp/image.sqfs -- sh -c "$WHERE"' -N2 -n4
    assert_success
    mapfile -t lines <job.out
    assert_equal "$(distinct 4-)" 'image name'
    assert_equal "$(count_of 2)" 2
    assert_equal "$(count_of 2,3)" 2
}

@test "coracle exec and ps, from another step" {
    allocate -N1 -n2
    in_step "$CORACLE" run --name here "$IMAGE" -- sh -c 'echo >/tmp/is-there; sleep 30' >out 2>&1 3>&- &
    in_time 20 in_step test -e /tmp/is-there
    capture in_step "$CORACLE" ps
    assert_output_has here
    capture in_step "$CORACLE" exec here -- cat /etc/image-release
    assert_output 'image name'
}

# --- what is left ----------------------------------------------------------------

# What a node has of us: processes, mounts and files, but for those of the step that looks.
LOOK='ps -u "$(id -u)" -o comm= | grep "^coracle"
    grep -cF fuse.coracle /proc/self/mountinfo
    find /tmp /dev/shm /var/tmp -mindepth 1 2>/dev/null | sort
    ipcs -a | grep -c "^0x"'

no_trace() {
    local round record=/tmp/coracle-$UID
    allocate -N2 -n4 || return
    for round in ends is-killed; do
        case $round in
            ends) timeout 60 srun -Q --jobid="$JOB" -N2 -n4 "$CORACLE" run "$IMAGE" -- payload exit 0 || return ;;
            is-killed)
                timeout 60 srun -Q --jobid="$JOB" -N2 -n4 "$CORACLE" run "$IMAGE" -- sh -c 'kill -9 $$' && return 1
                ;;
        esac
        capture timeout 60 srun -Q --jobid="$JOB" -N2 -n2 sh -c "$LOOK"
        assert_equal "$(printf '%s\n' "${lines[@]}" | LC_ALL=C sort | uniq -c | awk '{ print $1, $2 }')" \
            "$(printf '%s\n' "2 $record" "2 $record/group" "2 $record/passwd" "2 $record/record" '4 0')" || return
    done
    scancel "$JOB"
    in_time 20 no_jobs_left
}

@test "nothing is left on a node when a step ends but the node's record" { each_image no_trace; }

# --- what it costs ---------------------------------------------------------------

# bats test_tags=long
@test "the bench measures every way" {
    [[ ${#IMAGES[@]} -eq 2 ]] || skip 'no SquashFS images: no mksquashfs, coracle-fuse or /dev/fuse here'
    CORACLE_BENCH_DIR=$BATS_TEST_TMPDIR capture timeout -k 5 170 "$srcdir/test/bench/slurm" --quick
    assert_success
    assert_equal "$(grep -cE '^(1|16|64) tasks, (bare|coracle-directory|coracle-squashfs) ' <<<"$output")" 9
}
