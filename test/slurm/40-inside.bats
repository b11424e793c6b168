#!/usr/bin/env bats
# Slurm and munge from inside of a container, as a user of the cluster.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317

load ../e2e/helpers
load ../e2e/squashfs
load slurm

setup() {
    [[ ${TEST_IMAGE_CLUSTER-} ]] || skip 'needs TEST_IMAGE_CLUSTER, the image that test/slurm/run makes'
    jobs_setup
    IMAGE=$TEST_IMAGE_CLUSTER
}
teardown() { bed_teardown; }

# in_image SCRIPT [ARG...]: captures the image's shell, with the image's own programs of Slurm.
in_image() { capture timeout -k 5 100 "$CORACLE" run "$IMAGE" -- sh -c "$1" sh "${@:2}"; }

@test "sinfo and squeue: the cluster is seen" {
    in_image 'sinfo -h -o %D; squeue -h | wc -l'
    assert_success
    assert_equal "${lines[0]}" "$NODES"
}

@test "srun from inside, outside of a job and within one" {
    in_image 'srun -Q -N2 -n2 hostname | sort'
    assert_success
    assert_equal "${#lines[@]}" 2
    assert_all_different "${lines[@]}"
    step -n1 "$CORACLE" run "$IMAGE" -- srun -Q --overlap -n1 sh -c 'echo "$SLURM_JOB_ID.$SLURM_STEP_ID"'
    assert_success
    [[ $output =~ ^[0-9]+\.1$ ]] || report 'expected the second step of the job'
}

@test "srun from inside starts containers: the path of the image is the host's" {
    in_image 'srun -Q -n2 "$1" run "$2" -- cat /etc/os-release | grep -c ^ID=debian' "$CORACLE" "$IMAGE"
    assert_output 2
}

@test "sbatch from inside: the script runs outside" {
    printf '#!/bin/sh\nreadlink /proc/self/ns/user\n' >job.sh
    in_image 'sbatch -Q -W -o job.out job.sh'
    assert_success
    assert_equal "$(<job.out)" "$(readlink /proc/self/ns/user)"
}

@test "sbcast from inside" {
    allocate -N2 -n2
    echo 'from here' >file
    export SLURM_JOB_ID=$JOB SLURM_JOBID=$JOB
    in_image 'sbcast file /tmp/broadcast'
    assert_success
    capture timeout 60 srun -Q --jobid="$JOB" -N2 -n2 cat /tmp/broadcast
    assert_output $'from here\nfrom here'
}

@test "scancel from inside ends a job" {
    allocate -N1 -n1
    in_image 'scancel "$1"' "$JOB"
    assert_success
    in_time 20 no_jobs_left
}

# The host's programs in an image that has none: their files are shown to it.
@test "the host's squeue and sinfo in an image without Slurm" {
    local plugins options=() file
    plugins=$(dirname "$(dpkg -L slurm-wlm-basic-plugins 2>/dev/null | grep -m1 '/auth_munge.so$')")
    [[ -d $plugins ]] || skip 'the host has not the plugins of Debian'"'"'s Slurm'
    [[ ${TEST_IMAGE_DEBIAN-} ]] || skip 'needs TEST_IMAGE_DEBIAN'
    options+=(--bind "$plugins")
    while read -r file; do
        [[ -e $TEST_IMAGE_DEBIAN$file ]] || options+=(--bind "$file")
    done < <(ldd "$(command -v sinfo)" "$plugins/auth_munge.so" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u)
    capture "$CORACLE" run "${options[@]}" --bind "$(command -v sinfo)" "$TEST_IMAGE_DEBIAN" -- "$(command -v sinfo)" -h -o %D
    assert_output "$NODES"
}

@test "with --root Slurm's programs say themselves that it does not work" {
    capture timeout 30 "$CORACLE" run --root "$IMAGE" -- sbatch -Q --wrap true
    [[ $status -eq 1 && $stderr == *'Invalid user'* ]] || report 'expected that the cluster refuses'
}

@test "coracle explain says what is bound for Slurm, and why" {
    capture "$CORACLE" explain "$IMAGE" -- true
    assert_output_has "$(dirname "$SLURM_CONF")"
    [[ $(grep -c '\[Slurm\]$' <<<"$output") -ge 2 ]] || report 'expected the rows of configuration and socket'
}

# --- munge -----------------------------------------------------------------------

# munged_socket: of AuthInfo.
munged_socket() { sed -n 's/^AuthInfo=.*socket=\([^, ]*\).*/\1/p' "$SLURM_CONF"; }

@test "munge takes a process in a container for the user outside, with --root too" {
    local options
    MUNGE_SOCKET=$(munged_socket)
    export MUNGE_SOCKET
    cp "$srcdir/examples/munge-identity.c" .
    in_image 'gcc -o munge-identity munge-identity.c -lmunge'
    assert_success
    for options in '' --root; do
        # shellcheck disable=SC2086 # none, or one
        "$CORACLE" run $options "$IMAGE" -- ./munge-identity encode >credential
        capture unmunge -S "$MUNGE_SOCKET" <credential
        assert_output_has "($(id -u))"
        # A credential is good for once.
        "$CORACLE" run $options "$IMAGE" -- ./munge-identity encode >credential
        in_image './munge-identity decode' <credential
        assert_output "inside it is uid $([[ $options ]] && echo 0 || id -u), gid $([[ $options ]] && echo 0 || id -g); the cluster sees uid $(id -u), gid $(id -g)"
    done
}
