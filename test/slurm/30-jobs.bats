#!/usr/bin/env bats
# The job scripts of examples/slurm, as doc/tutorial.md walks through them, with the
# MPI of a real Debian image; and what MPI needs the ranks' common namespace for.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317

load ../e2e/helpers
load ../e2e/squashfs
load slurm

# Once for all: the image as a file, and the programs, compiled in the image.
setup_file() {
    [[ ${TEST_IMAGE_CLUSTER-} ]] || return 0
    cd "$BATS_FILE_TMPDIR" || return
    cp "$srcdir"/examples/*.c "$srcdir/test/bench/pingpong.c" .
    {
        "$CORACLE" run "$TEST_IMAGE_CLUSTER" -- /usr/bin/mpicc -O2 -o mpihello mpihello.c &&
            "$CORACLE" run "$TEST_IMAGE_CLUSTER" -- /usr/bin/mpicc.mpich -O2 -o mpihello.mpich mpihello.c &&
            "$CORACLE" run "$TEST_IMAGE_CLUSTER" -- /usr/bin/mpicc -O2 -fopenmp -o hybrid hybrid.c &&
            "$CORACLE" run "$TEST_IMAGE_CLUSTER" -- /usr/bin/mpicc -O2 -o pingpong pingpong.c
    } >compiled 2>&1 || { cat compiled >&2 && return 1; }
    ! command -v mksquashfs >/dev/null || mksquashfs "$TEST_IMAGE_CLUSTER" image.sqfs -noappend -quiet -no-progress \
        -comp zstd -Xcompression-level 1 >packed 2>&1 || { cat packed >&2 && return 1; }
}

setup() {
    [[ ${TEST_IMAGE_CLUSTER-} ]] || skip 'needs TEST_IMAGE_CLUSTER, the image that test/slurm/run makes'
    jobs_setup
    PATH=$(dirname "$CORACLE"):$PATH
    IMAGES[0]=$TEST_IMAGE_CLUSTER
    [[ ${#IMAGES[@]} -eq 1 ]] || IMAGES[1]=$BATS_FILE_TMPDIR/image.sqfs
    ln -s "$BATS_FILE_TMPDIR"/{mpihello,mpihello.mpich,hybrid,pingpong} .
}
teardown() { bed_teardown; }

# submit SCRIPT ARG...: captures a script of examples/slurm to its end; its output is in job.out.
submit() {
    capture timeout -k 5 150 sbatch -W -J "$JOB_NAME" -o job.out "$srcdir/examples/slurm/$1" "${@:2}"
    [[ $status -eq 0 ]] || report "the job's output: $(cat job.out)"
}

assert_job_has() { grep -q -- "$1" job.out || report "expected in the job's output: $1; it is: $(cat job.out)"; }

# --- the scripts -------------------------------------------------------------------

serial() {
    submit serial.sh "$IMAGE" || return
    assert_job_has '^Python 3\.[0-9.]* on bed[0-9]* in job [0-9]*$'
}

@test "serial.sh" { each_image serial; }

array() {
    rm -f array.*
    capture timeout -k 5 150 sbatch -W -J "$JOB_NAME" -o 'array.%a' "$srcdir/examples/slurm/array.sh" "$IMAGE"
    assert_success || return
    assert_equal "$(cat array.*)" "$(printf 'input %d gives %d\n' 1 1 2 3 3 6 4 10)"
}

@test "array.sh" { each_image array; }

# The ranks of a node share a view, so there are as many as nodes.
pmix() {
    submit mpi-pmix.sh "$IMAGE" ./mpihello || return
    assert_job_has '^the sum of all ranks is 28, as it should be$' || return
    assert_job_has '^8 ranks in 2 mount namespaces$'
}

@test "mpi-pmix.sh: Open MPI of the image on two nodes" { each_image pmix; }

pmi2() {
    submit mpi-pmi2.sh "$IMAGE" ./mpihello.mpich || return
    assert_job_has '^the sum of all ranks is 6, as it should be$' || return
    assert_job_has '^4 ranks in 1 mount namespaces$'
}

@test "mpi-pmi2.sh: MPICH of the image" { each_image pmi2; }

mpirun_of_host() {
    submit mpi-mpirun.sh "$IMAGE" ./mpihello || return
    assert_job_has '^the sum of all ranks is 6, as it should be$' || return
    assert_job_has '^4 ranks in 2 mount namespaces$'
}

@test "mpi-mpirun.sh: mpirun of the host starts ranks of the image" {
    need mpirun
    each_image mpirun_of_host
}

hybrid() {
    submit hybrid.sh "$IMAGE" ./hybrid || return
    assert_job_has '^rank 0 of 2  host bed[0-9]*  2 threads on ' || return
    assert_job_has '^rank 1 of 2  host bed[0-9]*  2 threads on '
}

@test "hybrid.sh: as many threads as CPUs of a task" { each_image hybrid; }

interactive() {
    printf '%s\n' 'echo "<$SLURM_JOB_NAME $(. /etc/os-release && echo "$ID")>"' 'exit 3' >typed
    capture timeout -k 5 60 script -qec "$srcdir/examples/slurm/interactive.sh $IMAGE --job-name=$JOB_NAME" /dev/null <typed
    assert_status 3 || return
    assert_output_has "<$JOB_NAME debian>"
}

@test "interactive.sh" {
    need script
    each_image interactive
}

ci() {
    local script=$srcdir/examples/slurm/ci-runner.sh
    mkdir -p checkout
    echo 'int main(void) { return 0; }' >checkout/main.c
    capture "$script" "$IMAGE" checkout sh -c 'gcc -o main main.c && ./main && pwd && ls -A "$HOME" && echo "$CI${SECRET-}"'
    assert_output $'/src\ntrue' || return
    [[ -x checkout/main ]] || report 'expected the program in the checkout' || return
    capture "$script" "$IMAGE" checkout sh -c 'exit 7'
    assert_status 7 || return
    capture timeout 100 sbatch -W -n1 -J "$JOB_NAME" -o ci.out "$script" "$IMAGE" checkout sh -c 'ls; exit 5'
    assert_status 5 || return
    assert_equal "$(cat ci.out)" $'main\nmain.c'
}

@test "ci-runner.sh: by hand and as a job" {
    export SECRET=of-the-runner
    each_image ci
}

# --- why ranks have to be in one user namespace -----------------------------------

# Shared memory of UCX is opened by way of the other's /proc, which a namespace of one's own forbids.
@test "MPICH's ranks of a node need the namespace of their step" {
    IMAGE=$TEST_IMAGE_CLUSTER
    step -N1 -n4 --mpi=pmi2 coracle run "$IMAGE" -- ./mpihello.mpich
    assert_success
    assert_output_has 'the sum of all ranks is 6, as it should be'
    capture timeout -k 5 30 srun -Q -N1 -n4 --mpi=pmi2 coracle run --share=none "$IMAGE" -- ./mpihello.mpich
    assert_output_lacks 'as it should be'
    [[ $status -ne 0 ]] || report 'expected ranks with namespaces of their own to fail'
}

# Without it Open MPI changes to a slower way while messages are under way, and does not end.
@test "Open MPI's messages above 2 MiB need the namespace of their step" {
    IMAGE=$TEST_IMAGE_CLUSTER
    step -N1 -n2 --mpi=pmix coracle run "$IMAGE" -- ./pingpong 3
    assert_success
    assert_output_has 'ping-pong 4194304 '
    capture timeout -k 5 15 srun -Q -N1 -n2 --mpi=pmix coracle run --share=none "$IMAGE" -- ./pingpong 3
    assert_output_lacks 'ping-pong 4194304 '
    assert_status 124 # it hangs
}
