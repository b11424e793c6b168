#!/usr/bin/env bats
# What goes wrong in jobs: one clear error that says where, and nothing left.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154,SC2317

load ../e2e/helpers
load ../e2e/squashfs
load slurm

setup() { jobs_setup; }
teardown() { bed_teardown; }

# Node-local: /tmp is the job's own on each node.
missing_on_one() {
    allocate -N2 -n2 || return
    timeout 60 srun -Q --jobid="$JOB" -N1 -n1 -w bed1 cp -a "$IMAGE" /tmp/image || return
    capture timeout 60 srun -Q --jobid="$JOB" -N2 -n2 "$CORACLE" run /tmp/image -- cat /etc/image-release
    assert_status 125 || return
    assert_equal "$output" 'image name' || return
    [[ $(grep -c '^coracle: error: ' <<<"$stderr") -eq 1 ]] || report 'expected one error' || return
    assert_stderr_has 'coracle: error: on bed2: ' || return
    assert_stderr_has '[image-missing]' || return
    scancel "$JOB"
    in_time 20 no_jobs_left
}

@test "an image that one of two nodes lacks: the node is named" { each_image missing_on_one; }

@test "an image that the job may not read" {
    local place=$BATS_TEST_TMPDIR/closed
    for IMAGE in "${IMAGES[@]}"; do
        mkdir -p "$place"
        cp -a "$IMAGE" "$place/image"
        chmod 0 "$place"
        step -n1 "$CORACLE" run "$place/image" -- true
        chmod 755 "$place"
        assert_status 125
        assert_stderr_has "error: on bed"
        assert_stderr_has "$place/image"
        assert_stderr_has 'ermission denied'
        rm -rf "$place"
    done
}

@test "a working directory that the node lacks: Slurm says so and the command runs" {
    step -n1 -D "$BATS_TEST_TMPDIR/nowhere" "$CORACLE" run "${IMAGES[-1]}" -- sh -c 'cat /etc/image-release'
    assert_output 'image name'
    assert_stderr_has nowhere
    step -n1 "$CORACLE" run --workdir /nowhere "${IMAGES[-1]}" -- true
    assert_status 125
    assert_stderr_has 'error: on bed'
    assert_stderr_has '[workdir]'
}

@test "a command that the image lacks: 127, once for each rank and with the node" {
    step -N2 -n4 "$CORACLE" run "${IMAGES[-1]}" -- no-such-command
    assert_status 127
    [[ $(grep -c '^coracle: error: on bed[12]: .*no-such-command' <<<"$stderr") -eq 4 ]] || report 'expected four errors'
}

# A tmpfs that is too small stands in for the node's disk.
@test "the node's disk is full: an image that has to be unpacked says where and how much" {
    [[ ${#IMAGES[@]} -eq 2 ]] || skip 'no SquashFS images: no mksquashfs, coracle-fuse or /dev/fuse here'
    head -c 6M /dev/urandom >"$TREE/large"
    IMAGE=$TREE
    pack "$BATS_TEST_TMPDIR/large.sqfs"
    step -n1 unshare -Urm sh -c 'mount -t tmpfs -o size=2M none /tmp && exec "$@"' sh \
        "$CORACLE" run --unpack=/tmp "$IMAGE" -- true
    assert_status 125
    assert_stderr_has 'error: on bed'
    assert_stderr_has /tmp
    assert_stderr_has '[limit]'
}

@test "the node's /tmp is full: the command runs all the same" {
    step -n1 unshare --user --map-current-user --mount --keep-caps sh -c 'mount -t tmpfs -o size=64k none /tmp || exit
        if head -c 1M /dev/zero >/tmp/fill 2>/dev/null; then echo "not full"; fi
        exec "$@"' sh "$CORACLE" run "${IMAGES[-1]}" -- cat /etc/image-release
    assert_output 'image name'
}

@test "munged is gone: the container runs, and what wants it says so" {
    [[ ${TEST_IMAGE_CLUSTER-} ]] || skip 'needs TEST_IMAGE_CLUSTER, the image that test/slurm/run makes'
    local socket
    socket=$(sed -n 's/^AuthInfo=.*socket=\([^, ]*\).*/\1/p' "$SLURM_CONF")
    step -n1 unshare --user --map-current-user --mount --keep-caps sh -c \
        'mount -t tmpfs none "$1" && shift && exec "$@"' sh "$(dirname "$socket")" \
        "$CORACLE" run "$TEST_IMAGE_CLUSTER" -- sh -c 'grep ^ID= /etc/os-release; squeue -h'
    assert_equal "$output" 'ID=debian'
    [[ $status -ne 0 && $stderr == *[Mm]unge* && $stderr != *'coracle: '* ]] || report 'expected an error of squeue alone'
}

@test "a job script that is submitted from inside with an image that only exists inside" {
    [[ ${TEST_IMAGE_CLUSTER-} ]] || skip 'needs TEST_IMAGE_CLUSTER, the image that test/slurm/run makes'
    printf '#!/bin/sh\nexec "%s" run /images/inside -- true\n' "$CORACLE" >job.sh
    capture timeout 100 "$CORACLE" run --bind "$TREE:/images/inside" "$TEST_IMAGE_CLUSTER" -- sbatch -Q -W -o job.out job.sh
    assert_status 125
    grep -q '^coracle: error: on bed[0-9]*: .*/images/inside.*\[image-missing\]$' job.out ||
        report "expected one error of the job: $(<job.out)"
}
