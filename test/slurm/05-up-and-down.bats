#!/usr/bin/env bats
# up and down of the test bed: quick, once, whatever has died before, and without a
# trace. On a bed of its own beside the one that the other files use.
#
# Runs as root, as test/slurm/run has it.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load ../e2e/helpers
load slurm

STATE=/var/lib/coracle-slurm-updown
NODES_HERE=(updown1 updown2)

setup() {
    [[ ${TEST_UP-} ]] || skip 'needs test/slurm/run, as root'
    is_root || skip 'needs root: the daemons are its own'
    need srun munge setpriv
    cd "$BATS_TEST_TMPDIR" || return
    trace >before
}

# After each test the bed is down, and nothing of it is left.
teardown() {
    [[ -e before ]] || return 0
    "$TEST_UP/down" --state "$STATE" || return
    trace >after
    diff before after >&2 || report 'something is left of the bed'
}

# trace: what a bed may leave, a line each: files of the system, cgroups, mounts, and
# processes that name the bed or are in namespaces of a machine of it.
trace() {
    find /etc /run /var/log /var/spool /var/lib /dev -xdev -path '/var/lib/coracle-slurm/*' -prune -o \
        -regex '/var/lib/\(apt\|dpkg\)/.*' -prune -o -regex '/dev/pts/.*' -prune -o -print 2>/dev/null | sort
    find /sys/fs/cgroup -type d -name '*updown*' | sort
    grep -ls updown /proc/[0-9]*/mountinfo | wc -l
    pgrep -f '[/ ]updown|coracle-slurm-updown' | sort
    if [[ -e namespaces ]]; then processes_in_namespaces; fi
    ipcs -a | grep -c '^0x' || true
}

# Notes the namespaces of the bed's machines, to look for processes in them later. They are held, for
# their numbers would soon be another's.
note_namespaces() {
    local name file descriptor
    for name in updown-control "${NODES_HERE[@]}"; do
        file=/proc/$(first_of "$name")/ns/pid
        exec {descriptor}<"$file" && readlink "$file" || return
    done >namespaces
}

# processes_in_namespaces [NAMESPACE]: of all machines, or in this one.
processes_in_namespaces() {
    local file
    for file in /proc/[0-9]*/ns/pid; do
        ! grep -qxF "$(readlink "$file" 2>/dev/null)" <<<"${1:-$(<namespaces)}" || echo "left: $file $(tr "\0" " " <"${file%ns/pid}cmdline")"
    done
}

# recorded NAME, first_of NAME: what up has started, and process 1 of a machine.
recorded() { cut -d ' ' -f 1 "$STATE/run/$1"; }
first_of() { pgrep -P "$(recorded "$1")"; }
daemon_of() { pgrep -P "$(first_of "$1")"; }
all_recorded() { cat "$STATE"/run/*; }

up() { capture timeout 60 "$TEST_UP/up" --state "$STATE" --name updown --user nobody "$@" 3>&- 4>&-; }

# job COMMAND...: captures it, by an ordinary user, on both nodes.
job() {
    capture timeout -k 5 30 setpriv --reuid=nobody --regid=nogroup --clear-groups env -C / \
        "SLURM_CONF=$STATE/etc/slurm.conf" srun -Q -N2 "$@"
}

assert_works() {
    job hostname
    assert_success || return
    assert_equal "$(printf '%s\n' "${lines[@]}" | sort | tr '\n' ' ')" "${NODES_HERE[*]} "
}

@test "up in less than 30 s, down leaves nothing of jobs that resist" {
    local start=$SECONDS pid
    up
    assert_success
    ((SECONDS - start < 30)) || report "it took $((SECONDS - start)) s"
    assert_output_has "SLURM_CONF=$STATE/etc/slurm.conf"
    note_namespaces
    assert_works
    job sh -c ': >/tmp/left; : >/var/tmp/left; : >/dev/shm/left'
    assert_success
    setpriv --reuid=nobody --regid=nogroup --clear-groups env -C / "SLURM_CONF=$STATE/etc/slurm.conf" \
        srun -Q -N2 sh -c 'trap "" TERM HUP INT; setsid sleep 4712 & echo there; while :; do sleep 1; done' \
        >out 2>err 3>&- 4>&- &
    pid=$!
    in_time 20 grep -q there out
    in_time 5 test "$(processes_in_namespaces | wc -l)" -gt 6
    "$TEST_UP/down" --state "$STATE"
    in_time 5 has_no_process "$pid"
    wait "$pid" || true
    assert_equal "$(processes_in_namespaces)" ''
    [[ ! -e $STATE ]] || report "$STATE is left"
}
has_no_process() { ! kill -0 "$1" 2>/dev/null; }

@test "up twice is up once, and says so" {
    local before
    up
    assert_success
    before=$(all_recorded)
    up
    assert_success
    assert_output_has 'Already up'
    assert_output_has "SLURM_CONF=$STATE/etc/slurm.conf"
    assert_equal "$(all_recorded)" "$before"
    assert_works
}

# bats test_tags=long
@test "up with other settings starts anew" {
    up
    assert_success
    up --nodes 3 --no-private-tmp --conf '# of the test'
    assert_success
    assert_output_has 'Starting anew: it was started otherwise'
    assert_equal "$(SLURM_CONF=$STATE/etc/slurm.conf sinfo -h -o %D)" 3
    grep -qx '# of the test' "$STATE/etc/slurm.conf"
    job sh -c 'stat -c %U /tmp'
    assert_output $'root\nroot'
}

# bats test_tags=long
@test "kill -9 of any daemon: the next up repairs it" {
    local name hits=0
    up
    assert_success
    for name in munged updown-control updown1; do
        if [[ $name == munged ]]; then kill -9 "$(recorded munged)"; else kill -9 "$(daemon_of "$name")"; fi
        hits=$((hits + 1))
        in_time 5 eval "! kill -0 $(recorded "$name") 2>/dev/null || grep -q '^State:.Z' /proc/$(recorded "$name")/status"
        up
        assert_success
        assert_output_has "Starting anew: $name has died"
        assert_works || return
    done
    assert_equal "$hits" 3
}

# bats test_tags=long
@test "a stopped daemon: the next up repairs it" {
    up
    assert_success
    kill -STOP "$(recorded munged)"
    up
    assert_success
    assert_output_has 'Starting anew: munged does not answer'
    assert_works
}

# bats test_tags=long
@test "kill -9 of process 1 of a node ends its jobs, and the next up repairs it" {
    up
    assert_success
    note_namespaces
    job sh -c 'setsid sleep 4713 >/dev/null 2>&1 </dev/null & sleep 0.1'
    assert_success
    kill -9 "$(first_of updown2)"
    in_time 5 none_in_namespace 3
    up
    assert_success
    assert_output_has 'Starting anew: updown2 has died'
    assert_works
}
none_in_namespace() { ! processes_in_namespaces "$(sed -n "$1p" namespaces)" | grep -q .; }

# bats test_tags=long
@test "kill -9 of up at any time: the next up or down repairs it" {
    local delay hits=0
    for delay in 0.05 0.1 0.15 0.2 0.25 0.3 0.4 0.5 0.7 1; do
        setsid timeout -s KILL "$delay" "$TEST_UP/up" --state "$STATE" --name updown --user nobody \
            >/dev/null 2>&1 3>&- 4>&- || true
        [[ ! -e $STATE ]] || hits=$((hits + 1))
        "$TEST_UP/down" --state "$STATE"
        [[ ! -e $STATE ]] || report "$STATE is left after $delay s"
    done
    ((hits >= 2)) || report "only $hits of the kills hit a bed that was begun"
    setsid timeout -s KILL 0.4 "$TEST_UP/up" --state "$STATE" --name updown --user nobody >/dev/null 2>&1 3>&- 4>&- || true
    up
    assert_success
    assert_works
}

@test "down where nothing is up, and where a folder is no bed" {
    capture "$TEST_UP/down" --state "$STATE"
    assert_output "== Nothing is up in $STATE"
    mkdir "$STATE"
    echo kept >"$STATE/file"
    capture "$TEST_UP/down" --state "$STATE"
    assert_fails 1 'is no bed'
    up
    assert_fails 1 'is no bed'
    assert_equal "$(<"$STATE/file")" kept
    rm -r "$STATE"
}

@test "who is not root is told so" {
    capture setpriv --reuid=nobody --regid=nogroup --clear-groups "$TEST_UP/up" --state "$STATE"
    assert_fails 77 'needs root'
    capture setpriv --reuid=nobody --regid=nogroup --clear-groups "$TEST_UP/down" --state "$STATE"
    assert_fails 1 'needs root'
    capture setpriv --reuid=nobody --regid=nogroup --clear-groups "$TEST_UP/run"
    assert_output_has '# SKIP the Slurm test bed needs root'
}

@test "a place that munged would refuse, or that jobs do not see, is refused" {
    install -d -o nobody foreign
    capture "$TEST_UP/up" --state "$PWD/foreign/bed"
    assert_fails 1 'Name another'
    capture "$TEST_UP/up" --state /tmp/bed
    assert_fails 1 'Name another'
    capture "$TEST_UP/up" --state "/var/lib/$(printf '%070d' 1)"
    assert_fails 1 '60 characters'
}

# bats test_tags=long
@test "nodes without cgroups: jobs run, and memory is looked at now and then" {
    up --cgroup none
    assert_success
    assert_output_has 'No cgroups'
    assert_works
    job -N1 --mem=50M bash -c 'x=$(head -c 200M /dev/zero | tr "\0" x); sleep 20; echo survived'
    assert_output_lacks survived || return
    [[ $status -ne 0 ]] || report 'it has more than it may have'
}
