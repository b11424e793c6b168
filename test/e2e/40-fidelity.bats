#!/usr/bin/env bats
# A command inside is the process that was launched, and nothing else about it
# changes. Where it can be, each test compares with the same command outside.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

# same COMMAND...: prints the same with Coracle and without, in this state.
# COMMAND's program is the image's, by its host path.
same() {
    local plain contained
    plain=$("$IMAGE/bin/$1" "${@:2}") || return
    contained=$("$CORACLE" run "$IMAGE" -- "$@") || return
    assert_equal "$contained" "$plain"
}

# until_true COMMAND...: waits for it, a few seconds at most.
until_true() {
    local i
    for i in {1..200}; do
        "$@" && return
        sleep 0.02
    done
    report "waited in vain for: $*"
}

# --- process ---------------------------------------------------------------

@test "the command has the launched pid, parent, group and session" {
    "$CORACLE" run "$IMAGE" -- cut -d' ' -f1,4-8 /proc/self/stat >inside &
    local pid=$!
    wait "$pid"
    assert_equal "$(cut -d' ' -f1,2 <inside)" "$pid $BASHPID"
    assert_equal "$(cut -d' ' -f3-5 <inside)" "$(cut -d' ' -f5-7 /proc/self/stat)"
}

@test "no process stays beside the command" {
    catcher 1
    local process
    assert_equal "$(cat "/proc/$CATCHER/task/$CATCHER/children")" ''
    for process in /proc/[0-9]*; do
        [[ $(readlink "$process/exe" 2>/dev/null) != "$PROGRAM" ||
            $(stat -c %u "$process" 2>/dev/null) != "$(id -u)" ||
            $(tr '\0' ' ' <"$process/cmdline") != *"$IMAGE"* ]] || report "still there: $process"
    done
    kill "$CATCHER"
    wait "$CATCHER"
}

@test "every exit status 0 to 255 arrives" {
    local status got
    for status in {0..255}; do
        got=0
        "$CORACLE" run "$IMAGE" -- payload exit "$status" || got=$?
        assert_equal "$got" "$status"
    done
}

@test "death by every usual signal arrives" {
    local signal
    for signal in 1 2 3 4 6 7 8 9 10 11 12 13 14 15 24 25 31 34 64; do
        capture "$PAYLOAD" status "$CORACLE" run "$IMAGE" -- payload raise "$signal"
        assert_output "killed $signal"
    done
}

# --- signals ---------------------------------------------------------------

# catcher COUNT: a container that reports signals to the file `got`; its pid is
# in CATCHER.
catcher() {
    "$CORACLE" run "$IMAGE" -- payload signals "$1" >got &
    CATCHER=$!
    until_true grep -q ready got
    assert_equal "$(head -n 1 got)" "ready $CATCHER"
}

@test "TERM, INT, HUP, USR1, USR2, TSTP and CONT reach the command" {
    catcher 7
    local signal
    for signal in TERM INT HUP USR1 USR2 TSTP CONT; do
        kill -"$signal" "$CATCHER"
        until_true grep -qx "got $(kill -l "$signal")" got
    done
    wait "$CATCHER"
}

@test "STOP stops and CONT continues the command itself" {
    "$CORACLE" run "$IMAGE" -- sh -c 'echo up; exec sleep 30' >got &
    local pid=$!
    until_true grep -q up got
    kill -STOP "$pid"
    until_true grep -q '^State:.T' "/proc/$pid/status"
    kill -CONT "$pid"
    until_true grep -q '^State:.S' "/proc/$pid/status"
    kill "$pid"
    local status=0
    wait "$pid" || status=$?
    assert_equal "$status" 143
}

@test "a signal to the process group reaches the command" {
    setsid --wait "$CORACLE" run "$IMAGE" -- payload signals 1 >got &
    until_true grep -q ready got
    local pid
    pid=$(head -n 1 got | cut -d' ' -f2)
    kill -TERM -- "-$pid"
    wait $!
    grep -qx 'got 15' got
}

@test "the signal mask is unchanged" {
    local -a state=("$PAYLOAD" block 10 12 14 17 40 --)
    local plain
    plain=$("${state[@]}" grep '^SigBlk' /proc/self/status)
    capture "${state[@]}" "$CORACLE" run "$IMAGE" -- grep '^SigBlk' /proc/self/status
    assert_output "$plain"
    [[ $plain != *0000000000000000 ]]
}

@test "ignored signals stay ignored, and no others, also where the record is made" {
    local -a state=("$PAYLOAD" ignore 1 2 13 15 17 20 --)
    local plain
    plain=$("${state[@]}" grep '^SigIgn' /proc/self/status)
    local where
    for where in "$BATS_TEST_TMPDIR/fresh" "$BATS_TEST_TMPDIR/fresh" /nowhere; do
        [[ $where == /nowhere || -d $where ]] || mkdir -m 700 "$where"
        XDG_RUNTIME_DIR=$where capture stranger "${state[@]}" \
            "$CORACLE" run "$IMAGE" -- grep '^SigIgn' /proc/self/status
        assert_output "$plain"
    done
    coracle_run -- grep '^SigIgn' /proc/self/status
    assert_output "$(grep '^SigIgn' /proc/self/status)"
}

@test "no signal is left pending and no child unreaped, also where the record is made" {
    mkdir -m 700 fresh
    export XDG_RUNTIME_DIR=$PWD/fresh
    capture stranger "$PAYLOAD" block 17 -- "$CORACLE" run "$IMAGE" -- grep -E '^(Sig|Shd)Pnd' /proc/self/status
    assert_output 'SigPnd:	0000000000000000
ShdPnd:	0000000000000000'
    catcher 1
    assert_equal "$(cat "/proc/$CATCHER/task/$CATCHER/children")" ''
    kill "$CATCHER"
    wait "$CATCHER"
}

# --- standard streams and descriptors --------------------------------------

@test "stdin, stdout and stderr are the caller's, byte for byte" {
    head -c 300000 /dev/urandom >in
    "$CORACLE" run "$IMAGE" -- cat <in >out
    cmp in out
    capture bash -c '"$CORACLE" run "$IMAGE" -- sh -c "echo e >&2; echo o"'
    assert_output o
    assert_equal "$stderr" e
    capture bash -c 'seq 1000 | "$CORACLE" run "$IMAGE" -- sort -n | tail -n 1'
    assert_output 1000
}

@test "inherited descriptors pass, ours do not leak" {
    echo content >file
    exec 7<file 20<file 200>other
    same payload fds
    capture "$CORACLE" run "$IMAGE" -- sh -c 'cat <&7; echo written >&200'
    exec 7<&- 20<&- 200>&-
    assert_output content
    assert_equal "$(cat other)" written
}

@test "no descriptor of ours leaks with any option" {
    mkdir source
    local options
    for options in '--writable-tmpfs' '--root' '--write' '-v' '--tmpfs /t' '--bind source:/x/y' \
        '--bind source:/bin/new' '--workdir /opt' '--no-default-binds' '--uid 0'; do
        if is_squashfs && [[ $options == --write ]]; then continue; fi
        # shellcheck disable=SC2086 # words
        capture "$CORACLE" run $options "$IMAGE" -- payload fds
        assert_output "$("$PAYLOAD" fds 2>/dev/null)"
    done
}

@test "closed standard descriptors stay closed, and nothing of ours takes their place" {
    local plain
    plain=$("$PAYLOAD" close 0 2 -- "$PAYLOAD" fds)
    capture "$PAYLOAD" close 0 2 -- "$CORACLE" run "$IMAGE" -- payload fds
    assert_output "$plain"
    capture "$PAYLOAD" close 0 1 2 -- "$CORACLE" run "$IMAGE" -- \
        sh -c "payload fds >$BATS_TEST_TMPDIR/fds"
    assert_success
    # 1 is the shell's redirection.
    assert_equal "$(grep -v '^1$' fds)" "$(grep -v '^2$' <<<"$plain" | grep -v '^1$')"
}

@test "PMI_FD: a socket that the launcher opened is spoken to from inside" {
    need python3
    cat >launcher.py <<'PY'
import os, socket, subprocess, sys
ours, theirs = socket.socketpair()
env = dict(os.environ, PMI_FD=str(theirs.fileno()))
child = subprocess.Popen([os.environ["CORACLE"], "run", os.environ["IMAGE"], "--", "sh", "-c",
                          'echo "cmd=init" >&$PMI_FD; read line <&$PMI_FD; echo "$line"'],
                         env=env, pass_fds=[theirs.fileno()], stdout=subprocess.PIPE)
theirs.close()
print(ours.recv(100).decode(), end="")
ours.sendall(b"cmd=response\n")
print(child.communicate()[0].decode(), end="")
PY
    capture python3 launcher.py
    assert_output 'cmd=init
cmd=response'
}

# --- terminal --------------------------------------------------------------

# on_terminal SCRIPT: bash executes SCRIPT on a terminal of its own; typing
# comes from stdin. Leaves status and output, which grows in the file screen.
on_terminal() {
    need script
    capture timeout $((30 * CORACLE_TEST_SLOWNESS)) script -qefc "$1" screen
    output=${output//$'\r'/}
}

# shown TEXT: waits until the terminal shows that. What is typed is shown as well.
shown() {
    local i
    for ((i = 0; i < 200 * CORACLE_TEST_SLOWNESS; i++)); do
        ! grep -qsaF -- "$1" screen || return 0
        sleep 0.1
    done
}

@test "the terminal is the caller's: tty says so" {
    on_terminal 'tty; "$CORACLE" run "$IMAGE" -- sh -c tty' </dev/null
    assert_success
    [[ ${lines[0]} == /dev/pts/* ]]
    assert_equal "$(sed -n 2p <<<"$output")" "$(sed -n 1p <<<"$output")"
}

@test "stdin that is no terminal is none inside" {
    coracle_run -- tty </dev/null
    assert_status 1
    assert_equal "$output" 'not a tty'
}

@test "job control works in a shell on a terminal" {
    mkfifo keys
    (
        printf '%s\n' "sh -c 'echo run\"\"ning; exec sleep 40'"
        shown running
        printf '\032'
        shown Stopped
        printf 'jobs; bg; kill %%1; wait; echo END-$((40+2))\n'
        shown END-42
        printf 'exit 5\n'
        sleep 0.5
    ) >keys &
    on_terminal '"$CORACLE" run "$IMAGE" -- sh -i' <keys
    assert_status 5
    assert_output_has 'Stopped'
    assert_output_has 'END-42'
    assert_output_lacks 'job control turned off'
}

@test "^C on the terminal reaches the command" {
    mkfifo keys
    (
        shown ready
        printf '\003'
        shown 'got 2'
    ) >keys &
    on_terminal 'exec "$CORACLE" run "$IMAGE" -- payload signals 1' <keys
    assert_success
    assert_output_has 'got 2'
}

@test "^Z stops a container that the shell outside then continues" {
    mkfifo keys
    (
        shown running
        printf '\032'
        shown RESULT
    ) >keys &
    on_terminal 'bash --norc -ic "\"\$CORACLE\" run \"\$IMAGE\" -- sh -c \"echo running; sleep 1; exit 4\"
        jobs; fg; echo RESULT-\$?"' <keys
    assert_output_has Stopped
    assert_output_has RESULT-4
}

# --- limits and attributes -------------------------------------------------

@test "CPU mask" {
    need taskset
    local cpu
    cpu=$(taskset -cp $$ | sed 's/.*[ ,-]//')
    capture taskset -c "$cpu" "$CORACLE" run "$IMAGE" -- \
        grep '^Cpus_allowed_list' /proc/self/status
    assert_output "Cpus_allowed_list:	$cpu"
}

@test "nice, scheduling policy and I/O priority" {
    capture nice -n 7 "$CORACLE" run "$IMAGE" -- cut -d' ' -f19 /proc/self/stat
    assert_output 7
    need chrt ionice
    capture chrt -b 0 "$CORACLE" run "$IMAGE" -- cut -d' ' -f41 /proc/self/stat
    assert_output 3
    capture ionice -c 2 -n 6 "$CORACLE" run "$IMAGE" -- ionice
    assert_output 'best-effort: prio 6'
}

@test "resource limits" {
    ulimit -S -n 123
    ulimit -S -s 4096
    ulimit -c 0
    ulimit -S -f 100000
    same cat /proc/self/limits
}

@test "cgroup" { same cat /proc/self/cgroup; }

@test "out-of-memory score" {
    echo 300 >/proc/$BASHPID/oom_score_adj
    same cat /proc/self/oom_score_adj
}

@test "umask" {
    local mask
    for mask in 0000 0027 0777; do
        capture sh -c 'umask "$1"; exec "$CORACLE" run "$IMAGE" -- sh -c umask' sh "$mask"
        assert_output "$mask"
    done
}

@test "supplementary groups are the caller's, seen from outside" {
    [[ $(id -G | wc -w) -gt 1 ]] || skip 'this user has one group only'
    "$CORACLE" run "$IMAGE" -- sh -c 'echo up; exec sleep 20' >got &
    until_true grep -q up got
    local groups
    groups=$(grep '^Groups' "/proc/$!/status")
    kill $!
    assert_equal "$groups" "$(grep '^Groups' /proc/self/status)"
}

@test "a file that a supplementary group opens is opened inside" {
    is_root || skip 'only root can choose groups'
    need setpriv
    mkdir /tmp/coracle-e2e.$$
    echo secret >/tmp/coracle-e2e.$$/file
    chgrp 23456 /tmp/coracle-e2e.$$/file
    chmod 640 /tmp/coracle-e2e.$$/file
    chmod 755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" || true
    image_file >/dev/null # the other user could not pack it
    capture env XDG_RUNTIME_DIR=/nowhere HOME=/ \
        setpriv --reuid 12345 --regid 12345 --groups 12345,23456 \
        "$CORACLE" run "$IMAGE" -- cat /tmp/coracle-e2e.$$/file
    rm -r /tmp/coracle-e2e.$$
    assert_output secret
}

# --- finding the command ---------------------------------------------------

# tool PATH TEXT: an executable script in the image.
tool() {
    mkdir -p "$IMAGE$(dirname "$1")"
    printf '#!/bin/sh\necho %s "$@"\n' "$2" >"$IMAGE$1"
    chmod 755 "$IMAGE$1"
}

@test "the command is looked up in the container's PATH, first match first" {
    tool /opt/a/tool first
    tool /opt/b/tool second
    PATH=/nowhere:/opt/a:/opt/b coracle_run -- tool x
    assert_output 'first x'
    PATH=/opt/b:/opt/a coracle_run -- tool
    assert_output second
}

@test "a program of the host's PATH that the image lacks is not found" {
    mkdir host
    printf '#!/bin/sh\necho host\n' >host/only-host
    chmod +x host/only-host
    PATH=/opt/nowhere coracle_run --no-default-binds -- only-host
    assert_fails 127 only-host
}

@test "look-up goes on after a name that cannot be executed, and ends with 126" {
    tool /opt/a/tool first
    tool /opt/b/tool second
    chmod -x "$IMAGE/opt/a/tool"
    PATH=/opt/a:/opt/b coracle_run -- tool
    assert_output second
    PATH=/opt/a:/bin coracle_run -- tool
    assert_fails 126 tool
    mkdir "$IMAGE/opt/b/dir"
    PATH=/opt/b:/bin coracle_run -- dir
    assert_fails 126 dir
}

@test "a command with a slash is not looked up; relative to the working directory" {
    tool /opt/a/tool first
    coracle_run --workdir /opt/a -- ./tool
    assert_output first
    coracle_run --workdir /opt -- a/tool
    assert_output first
    coracle_run --workdir /opt/a --env PATH=/bin -- tool
    assert_fails 127 tool
}

@test "an empty part of PATH is the working directory, as for execvp" {
    tool /opt/a/tool here
    coracle_run --workdir /opt/a --env PATH=/bin: -- tool
    assert_output here
    coracle_run --workdir /opt/a --env PATH=:/bin -- tool
    assert_output here
    coracle_run --workdir /opt/a --env PATH=/nowhere::/bin -- tool
    assert_output here
}

@test "without PATH there is a default, as for execvp" {
    coracle_run --unset-env PATH -- sh -c 'echo found'
    assert_output found
}

@test "a script without #! is given to /bin/sh, as by execvp" {
    mkdir -p "$IMAGE/opt/a"
    printf 'echo plain "$@"\n' >"$IMAGE/opt/a/plain"
    chmod 755 "$IMAGE/opt/a/plain"
    PATH=/opt/a:/bin coracle_run -- plain x y
    assert_output 'plain x y'
    coracle_run -- /opt/a/plain z
    assert_output 'plain z'
}

@test "126 against 127" {
    coracle_run -- /nowhere/tool
    assert_fails 127 /nowhere/tool
    coracle_run -- /etc/image-release
    assert_fails 126 /etc/image-release
    coracle_run -- /etc
    assert_fails 126 /etc
    coracle_run -- ''
    assert_status 127
    mkdir "$IMAGE/opt/closed"
    cp "$PAYLOAD" "$IMAGE/opt/closed/tool"
    if ! is_root; then
        chmod 000 "$IMAGE/opt/closed"
        coracle_run -- /opt/closed/tool
        chmod 755 "$IMAGE/opt/closed"
        assert_fails 126 /opt/closed/tool
    fi
}

@test "what is readable and executable inside goes by the image's modes" {
    chmod 444 "$IMAGE/etc/image-release"
    cp "$PAYLOAD" "$IMAGE/opt/tool"
    chmod 644 "$IMAGE/opt/tool"
    mkdir -m 000 "$IMAGE/opt/closed"
    coracle_run -- payload access /etc/image-release /opt/tool /bin/payload /opt /opt/closed
    chmod 755 "$IMAGE/opt/closed"
    if ! is_root; then
        assert_output 'r-- /etc/image-release
r-- /opt/tool
r-x /bin/payload
r-x /opt
--- /opt/closed'
    fi
}

@test "the image's profile is never read" {
    mkdir -p "$IMAGE/etc/profile.d"
    echo 'echo profile' | tee "$IMAGE/etc/profile" "$HOME/.profile" "$HOME/.bashrc" >"$IMAGE/etc/profile.d/x.sh"
    coracle_run -- sh -c 'echo only'
    assert_output only
}

@test "arguments arrive unchanged, empty ones and newlines too" {
    coracle_run -- payload args '' ' two  words ' $'new\nline' -- --bind '*' '$HOME' $'\xff\xfe' \\
    assert_output "[]
[ two  words ]
[new
line]
[--]
[--bind]
[*]
[\$HOME]
[$(printf '\xff\xfe')]
[\\]"
}

@test "thousands of arguments and long ones" {
    local long
    printf -v long '%0100000d' 7
    # shellcheck disable=SC2046 # words
    coracle_run -- sh -c 'echo $# ${#1}' sh "$long" $(seq 5000)
    assert_output '5001 100000'
}

# --- environment -----------------------------------------------------------

# as_lines: a NUL-separated environment as sorted lines.
as_lines() { tr '\n\0' '\1\n' | sort; }

@test "the environment arrives unchanged" {
    local -a variables=(
        "PATH=$PATH" "HOME=$HOME" "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR"
        $'MULTI=one\ntwo\n\nthree\n' 'EMPTY=' 'EQUALS=a=b=c' 'SPACES=  x  ' $'BYTES=\xff\xfe\x80'
        'BASH_FUNC_greet%%=() {  echo "hello $1"
}' 'module()=not exported' 'lower.case-name=x' '1NUMBER=x' 'IFS=:' 'PWD=/elsewhere' 'OLDPWD=/old'
        'SHELL=/bin/zsh' 'USER=someone' 'LOGNAME=someone' 'LANG=de_DE.UTF-8' 'TERM=xterm'
        'LD_BIND_NOW=1' 'OMP_NUM_THREADS=4' 'CUDA_VISIBLE_DEVICES=0' 'UCX_TLS=all' 'SHLVL=3' '_=/usr/bin/x'
        'SLURM_JOB_ID=1' 'SLURM_CPUS_ON_NODE=2' 'SLURMD_NODENAME=n' 'PMI_RANK=0' 'PMI_FD=17'
        'PMIX_RANK=0' 'PMIX_NAMESPACE=x' 'OMPI_COMM_WORLD_SIZE=4' 'OMPI_MCA_btl=self' 'PRTE_X=1'
        'HYDI_CONTROL_FD=1' 'I_MPI_X=1' 'MPI_LOCALRANKID=0' 'PALS_RANKID=0' 'TZ=UTC' 'HOSTNAME=n'
    )
    printf '%s\0' "${variables[@]}" | as_lines >expected
    env -i "${variables[@]}" "$CORACLE" run "$IMAGE" -- cat /proc/self/environ | as_lines >got
    diff expected got
}

@test "a value of 100,000 bytes and 2,000 variables arrive" {
    local -a variables=("PATH=$PATH")
    local i
    printf -v i '%0100000d' 7
    variables+=("LONG=$i")
    for i in {1..2000}; do variables+=("V$i=$i"); done
    printf '%s\0' "${variables[@]}" | as_lines >expected
    env -i "${variables[@]}" "$CORACLE" run "$IMAGE" -- cat /proc/self/environ | as_lines >got
    cmp expected got
}

@test "scheduler and MPI variables are never touched" {
    export SLURM_A=1 SLURMD_B=2 PMI_C=3 PMIX_D=4 OMPI_E=5
    inside 'echo $SLURM_A $SLURMD_B $PMI_C $PMIX_D $OMPI_E'
    assert_output '1 2 3 4 5'
    coracle_run --clean-env -- sh -c 'echo $SLURM_A $SLURMD_B $PMI_C $PMIX_D $OMPI_E'
    assert_output '1 2 3 4 5'
}

# --- after the first process -----------------------------------------------

@test "background children keep their root after the first process has ended" {
    coracle_run -- sh -c '
        (sleep 0.5; cat /etc/image-release >$1/late; ls / >>$1/late; echo x >$1/shown; touch $1/ended) \
            >/dev/null 2>&1 </dev/null &
        exit 3' sh "$BATS_TEST_TMPDIR"
    assert_status 3
    [[ ! -e ended ]]
    until_true test -e ended
    assert_equal "$(head -n 1 late)" 'image name'
    grep -qx opt late
}

@test "two containers at once and one inside a pipe do not meet" {
    capture bash -c 'for i in 1 2 3 4 5 6 7 8; do
        "$CORACLE" run --tmpfs /t "$IMAGE" -- sh -c "echo $i >/t/own; sleep 0.2; ls /t; cat /t/own" &
        done; wait'
    assert_success
    assert_equal "$(grep -c own <<<"$output")" 8
    assert_equal "$(grep -v own <<<"$output" | sort | tr -d '\n')" 12345678
}
