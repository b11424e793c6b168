#!/usr/bin/env bats
# A real Debian image: numpy, MPI, packages, large directories.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

# Packed once for all of them: it takes seconds.
setup_file() {
    local packed=$BATS_FILE_TMPDIR/debian.sqfs
    if [[ -z ${TEST_IMAGE_DEBIAN-} ]] || ! is_squashfs; then return; fi
    mksquashfs "$TEST_IMAGE_DEBIAN" "$packed" -noappend -quiet -no-progress -comp zstd \
        -Xcompression-level 1 >"$packed.log" 2>&1 || { cat "$packed.log" >&2 && return 1; }
}

setup() {
    [[ -n ${TEST_IMAGE_DEBIAN-} ]] ||
        skip 'needs TEST_IMAGE_DEBIAN, an image directory; test/run and examples/quickstart make one'
    standard_setup
    IMAGE=$TEST_IMAGE_DEBIAN
    ! is_squashfs || IMAGE=$BATS_FILE_TMPDIR/debian.sqfs
}

@test "a command, a pipe in a shell, and stdin" {
    coracle_run -- cat /etc/os-release
    assert_success
    assert_output_has 'ID=debian'
    coracle_run -- bash -c 'seq 100 | wc -l | tr -d " "'
    assert_output 100
    capture bash -c 'echo from outside | "$CORACLE" run "$IMAGE" -- tr a-z A-Z'
    assert_output 'FROM OUTSIDE'
}

@test "numpy" {
    coracle_run -- python3 -c 'import numpy; print(numpy.arange(12).reshape(3, 4).sum(axis=0))'
    assert_output '[12 15 18 21]'
}

@test "python finds its own modules, whatever PYTHONPATH and PYTHONHOME say outside" {
    mkdir modules
    echo 'raise SystemExit("the host module")' >modules/numpy.py
    export PYTHONPATH=$PWD/modules PYTHONHOME=/nowhere
    cd /
    coracle_run -- python3 -c 'import numpy; print("own")'
    assert_output own
}

@test "glibc knows the user inside" {
    coracle_run -- bash -c 'getent passwd "$(id -u)" | cut -d: -f3 && id -un >/dev/null && id -gn >/dev/null'
    assert_output "$(id -u)"
    coracle_run -- python3 -c 'import getpass, os; getpass.getuser(); print(os.path.expanduser("~"))'
    assert_output "$HOME"
}

@test "exported bash functions can be called inside" {
    greet() { printf 'hello %s\n' "$1"; }
    export -f greet
    coracle_run -- bash -c 'greet "you there"'
    assert_output 'hello you there'
}

@test "time zones: TZ by name, UTC, and the host's" {
    TZ=Asia/Kolkata coracle_run -- date +%z
    assert_output +0530
    TZ=UTC coracle_run -- date '+%Z %z'
    assert_output 'UTC +0000'
    TZ=Etc/UTC coracle_run -- date +%z
    assert_output +0000
    make_host_etc
    time_zone_file HST 5 >"$HOST_ETC/localtime"
    on_host 'mount --bind "$HOST_ETC" /etc
        as 4242 "$CORACLE" run "$IMAGE" -- date "+%Z %z"
        TZ=Etc/UTC as 4242 "$CORACLE" run "$IMAGE" -- date "+%Z %z"'
    assert_output 'HST +0500
UTC +0000'
}

@test "missing mount points in real, large directories" {
    local directory count
    mkdir source
    echo new >source/file
    for directory in /usr/bin /usr/lib /etc /usr/share/doc /usr/lib/x86_64-linux-gnu; do
        [[ -d $TEST_IMAGE_DEBIAN$directory ]] || continue
        # shellcheck disable=SC2012 # only counted
        count=$(ls -A "$TEST_IMAGE_DEBIAN$directory" | wc -l)
        coracle_run --no-default-binds --bind "source:$directory/e2e-new" \
            --bind "source/file:$directory/e2e-file" -- \
            bash -c 'cat "$1"/e2e-new/file "$1"/e2e-file; ls -A "$1" | wc -l' bash "$directory"
        assert_output "new
new
$((count + 2))"
    done
}

@test "a library that the image lacks is bound beside its libraries and used" {
    need gcc
    local place
    place=$(echo "$TEST_IMAGE_DEBIAN"/usr/lib/*-linux-gnu)
    echo 'int e2e_answer(void) { return 42; }' >e2e.c
    gcc -shared -fPIC -nostdlib -o libe2e.so.1 e2e.c
    coracle_run --bind "libe2e.so.1:${place#"$TEST_IMAGE_DEBIAN"}/libe2e.so.1" -- \
        python3 -c 'import ctypes; print(ctypes.CDLL("libe2e.so.1").e2e_answer())'
    assert_output 42
}

@test "an MPI job, its ranks in one view, or each in one of its own" {
    need mpirun
    cp "$E2E_DIR/../../examples/mpihello.c" .
    coracle_run -- mpicc -o mpihello mpihello.c
    assert_success
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    capture timeout 100 mpirun --oversubscribe -np 4 "$CORACLE" run "$IMAGE" -- ./mpihello
    assert_success
    assert_output_has '4 ranks in 1 mount namespace'
    capture timeout 100 mpirun --oversubscribe -np 4 "$CORACLE" run --share=none "$IMAGE" -- ./mpihello
    assert_success
    assert_output_has '4 ranks in 4 mount namespaces'
}

@test "a rank that fails ends the job with its status" {
    need mpirun
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    capture timeout 60 mpirun --oversubscribe -np 2 "$CORACLE" run "$IMAGE" -- \
        bash -c 'exit $((OMPI_COMM_WORLD_RANK * 7))'
    assert_status 7
}

# package: a package without dependencies, e2e-tiny.deb.
package() {
    mkdir -p tree/DEBIAN tree/usr/share tree/etc
    printf '%s\n' 'Package: e2e-tiny' 'Version: 1' 'Architecture: all' 'Maintainer: nobody <n@example.org>' \
        'Description: a file' >tree/DEBIAN/control
    printf '#!/bin/sh\necho configured >/etc/e2e-tiny.conf\n' >tree/DEBIAN/postinst
    chmod 755 tree tree/DEBIAN tree/DEBIAN/postinst tree/usr tree/usr/share tree/etc
    echo tiny >tree/usr/share/e2e-tiny
    coracle_run --root -- dpkg-deb -b tree e2e-tiny.deb
    assert_success
}

@test "dpkg and apt-get install a package with --root, in memory" {
    package
    coracle_run --root --writable-tmpfs -- bash -c '
        dpkg -i e2e-tiny.deb >log 2>&1 && cat /usr/share/e2e-tiny && dpkg -r e2e-tiny >>log 2>&1 &&
            apt-get -o APT::Sandbox::User=root install -y ./e2e-tiny.deb >>log 2>&1 &&
            cat /usr/share/e2e-tiny /etc/e2e-tiny.conf; status=$?
        [ $status -eq 0 ] || cat log
        exit $status'
    assert_output 'tiny
tiny
configured'
    coracle_run -- test ! -e /usr/share/e2e-tiny
    assert_success
}

@test "apt-get installs a package with --root --write, and it stays" {
    directory_only 'it cannot be changed, and --write is refused'
    [[ -n ${CORACLE_TEST_LONG-} ]] || skip 'copies the image: CORACLE_TEST_LONG=1 (test/run --long)'
    package
    cp -a "$TEST_IMAGE_DEBIAN" copy
    IMAGE=$PWD/copy
    coracle_run --root --write -- apt-get -o APT::Sandbox::User=root install -y ./e2e-tiny.deb
    assert_success
    IMAGE=$PWD/copy coracle_run -- cat /usr/share/e2e-tiny /etc/e2e-tiny.conf
    assert_output 'tiny
configured'
}

@test "the shell of the image starts, with a prompt that names it" {
    need script
    export SHELL=/bin/bash TERM=dumb
    mkfifo keys
    (
        sleep 1
        printf 'exit\n'
        sleep 0.3
    ) >keys &
    capture timeout 20 script -qefc 'exec "$CORACLE" shell "$IMAGE"' /dev/null <keys
    assert_success
    assert_output_has "$(basename "$IMAGE")"
    assert_output_lacks 'no job control'
}

@test "the image is unchanged" {
    local before after
    before=$(find "$IMAGE" -xdev -printf '%P %y %m %s %T@ %C@ %l\n' | sort | sha256sum)
    mkdir source
    coracle_run --bind source:/usr/bin/e2e-new --bind source:/data/deep -- true
    assert_success
    coracle_run --root --writable-tmpfs -- bash -c 'rm -rf /usr/share/doc; touch /etc/new'
    assert_success
    after=$(find "$IMAGE" -xdev -printf '%P %y %m %s %T@ %C@ %l\n' | sort | sha256sum)
    assert_equal "$after" "$before"
}
