#!/usr/bin/env bats
# coracle-broker, through which ranks meet: what it is, when it ends, whom it answers,
# who is passed over in its place, and which launches it is for.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317

load helpers
load squashfs
load ranks

setup() { ranks_setup; }
teardown() { ranks_teardown; }

# --- what nobody else may do ---------------------------------------------------------------

@test "a process inside a container gets nothing from the broker, one outside does" {
    image directory
    start a "$CORACLE" run "$IMAGE"
    one_broker
    local address inside_it
    address=$(address_of_broker)
    [[ $address == coracle/* ]]
    # What we say is what a launch says: the host's answer shows it.
    assert_equal "$("$PEER" knock "$address" list)" answered
    assert_equal "$("$PEER" knock "$address" hello)" 'answered with descriptors'
    for inside_it in list hello; do
        assert_equal "$(ask a "peer knock $address $inside_it")" closed || return
        assert_equal "$("$CORACLE" run --share=none "$IMAGE" -- peer knock "$address" "$inside_it")" closed || return
        assert_equal "$(unshare -U --map-user="$(id -u)" --map-group="$(id -g)" -- "$PEER" knock "$address" "$inside_it")" \
            closed || return
    done
    start b "$CORACLE" run "$IMAGE"
    assert_same "$(namespaces a)" "$(namespaces b)"
    one_broker
}

# learn_address: the name that the launches of this test meet at. Leaves ADDRESS.
learn_address() {
    image directory
    start first "$CORACLE" run "$IMAGE"
    one_broker
    ADDRESS=$(address_of_broker)
    [[ $ADDRESS == coracle/*/0 ]]
    finish_all
}

# squat HOW COMMAND...: COMMAND takes ADDRESS.
squat() {
    : >squatter
    "${@:2}" "$1" "$ADDRESS" >squatter 2>&1 </dev/null 3>&- &
    SQUATTER=$!
    within 50 grep -q taken squatter
}

# passed_over: two launches meet although ADDRESS is taken.
passed_over() {
    start a "$CORACLE" run "$IMAGE" && start b "$CORACLE" run "$IMAGE" || return
    assert_same "$(namespaces a)" "$(namespaces b)" || return
    assert_equal "$(cat a.err b.err)" '' || return
    one_broker || return
    assert_equal "$(address_of_broker)" "${ADDRESS%0}1" || return
    kill "$SQUATTER"
    wait "$SQUATTER" 2>/dev/null || true
    finish_all
}

@test "who takes the broker's name from inside a container is passed over" {
    learn_address
    squat listen "$CORACLE" run --share=none "$IMAGE" -- peer
    passed_over
}

@test "who takes the broker's name from inside a container and does not listen is passed over" {
    learn_address
    squat bind "$CORACLE" run --share=none "$IMAGE" -- peer
    passed_over
}

@test "who takes the broker's name from inside a container and lets nobody in is passed over" {
    learn_address
    squat full "$CORACLE" run --share=none "$IMAGE" -- peer
    passed_over
}

@test "as root: another user who takes the broker's name is passed over and told nothing" {
    is_root || skip 'only root is two users'
    need setpriv
    learn_address
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR/test" || true
    squat listen setpriv --reuid 12345 --regid 12345 --clear-groups "$PEER"
    passed_over
    assert_equal "$(head -n 1 squatter)" taken
    # It is connected to, and left without a word.
    assert_equal "$(grep -c 'got [1-9]' squatter)" 0
}

@test "where all names are taken a launch goes alone, and says so" {
    learn_address
    local i
    local -a squatters=()
    for i in {0..7}; do
        "$CORACLE" run --share=none "$IMAGE" -- peer listen "${ADDRESS%0}$i" >"taken.$i" 2>&1 </dev/null 3>&- &
        squatters+=($!)
    done
    for i in {0..7}; do within 50 grep -q taken "taken.$i" || return; done
    inside 'cat /etc/image-release'
    assert_output 'image name'
    assert_stderr_has 'this launch shares nothing with others'
    kill "${squatters[@]}"
}

@test "as root: another user gets nothing from the broker" {
    is_root || skip 'only root is two users'
    need setpriv
    image directory
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR/test" || true
    start a "$CORACLE" run "$IMAGE"
    one_broker
    local words
    for words in list hello; do
        assert_equal "$(setpriv --reuid 12345 --regid 12345 --clear-groups "$PEER" knock "$(address_of_broker)" "$words")" \
            closed || return
    done
}

# --- the broker -------------------------------------------------------------------------

# of FIELD: of the broker's status.
of() { sed -n "s/^$1:[[:blank:]]*//p" "/proc/$BROKER/status"; }

held_by_broker() {
    exec 5</etc/passwd 200>other
    SECRET=1 start a "$CORACLE" run "$IMAGE" || return
    one_broker || return
    assert_equal "$(readlink "/proc/$BROKER/cwd")" / || return
    assert_equal "$(for i in 0 1 2; do readlink "/proc/$BROKER/fd/$i"; done | sort -u)" /dev/null || return
    local fd
    for fd in "/proc/$BROKER"/fd/*; do
        case $(readlink "$fd") in
        /dev/null | /dev/fuse | socket:* | anon_inode:* | user:* | mnt:* | /memfd:* | /proc/*/mountinfo) ;;
        /proc/*[!0-9]*) report "it holds $(readlink "$fd")" || return ;;
        # A rank's process or a server's, where the kernel has no pidfds.
        /proc/*) ;;
        # A directory of the image, of whose list of names the view has a copy.
        *) find "$TREE" -type d -printf '%D:%i\n' | grep -qxF "$(stat -Lc %d:%i "$fd")" ||
            report "it holds $(readlink "$fd")" || return ;;
        esac
    done
    assert_equal "$(tr '\0' '\n' <"/proc/$BROKER/environ" | grep -v ^CORACLE_L)" '' || return
    exec 5<&- 200>&-
}

@test "the broker holds no descriptor, directory or variable of the rank that started it" { each_kind held_by_broker; }

@test "the broker has a session of its own and is nobody's child, and signals are as new" {
    image directory
    start a "$PAYLOAD" ignore 1 2 3 13 15 17 20 -- "$PAYLOAD" block 10 12 14 15 17 -- "$CORACLE" run "$IMAGE"
    one_broker
    local -a stat
    read -ra stat < <(sed 's/.*) //' "/proc/$BROKER/stat")
    [[ ${stat[1]} != "$PID" && ${stat[1]} != "$$" && ${stat[1]} != "$BASHPID" ]]
    assert_equal "${stat[2]}" "$BROKER"
    assert_equal "${stat[3]}" "$BROKER"
    assert_equal "${stat[4]}" 0
    assert_equal "$(of SigBlk)" 0000000000000000
    assert_equal "$(of SigIgn)" 0000000000000000
    assert_equal "$(readlink "/proc/$BROKER/ns/user" "/proc/$BROKER/ns/mnt")" "$(readlink /proc/self/ns/user /proc/self/ns/mnt)"
    assert_equal "$(cat "/proc/$PID/task/$PID/children")" ''
}

@test "a signal to a rank's process group does not reach the broker" {
    image directory
    local signal rank
    export CORACLE_LINGER=$((3000 * CORACLE_TEST_SLOWNESS))
    setsid "$CORACLE" run "$IMAGE" -- payload signals 6 >rank.out 2>&1 </dev/null 3>&- &
    rank=$!
    within 50 grep -q ready rank.out
    one_broker
    for signal in TERM HUP INT USR1 USR2; do kill -"$signal" -- "-$rank"; done
    within 20 grep -q 'got 12' rank.out
    assert_equal "$(brokers)" "$BROKER"
    kill -KILL -- "-$rank"
    sleep 0.1
    assert_equal "$(brokers)" "$BROKER"
    within 100 no_broker
}

no_pipe() {
    local started
    started=$(date +%s%3N)
    export CORACLE_LINGER=$((5000 * CORACLE_TEST_SLOWNESS))
    capture timeout $((10 * CORACLE_TEST_SLOWNESS)) bash -c '"$CORACLE" run "$IMAGE" -- echo done | cat'
    assert_output 'done' || return
    [[ $(($(date +%s%3N) - started)) -lt $((4000 * CORACLE_TEST_SLOWNESS)) ]] || report 'it waited for the broker' || return
    one_broker || return
    kill "$BROKER"
}

@test "the broker keeps no pipe open" { each_kind no_pipe; }

ends_in_time() {
    start a "$CORACLE" run "$IMAGE" && start b "$CORACLE" run "$IMAGE" || return
    one_broker || return
    finish a
    sleep 0.6
    assert_equal "$(brokers)" "$BROKER" || return
    finish b
    within 10 has_ended "$BROKER" || return
    [[ $1 == directory ]] || within 10 no_server "$IMAGE" || return
    assert_equal "$(all_brokers) $(all_servers) $(rank_processes)" '  ' || return
    if grep -F "$KEY" /proc/net/unix; then return 1; fi
}

@test "the broker ends soon after the last rank, and leaves no process" { each_kind ends_in_time; }

@test "a rank that is killed is a rank that has gone" {
    image directory
    local signal
    for signal in KILL SEGV TERM; do
        start a "$CORACLE" run "$IMAGE"
        ask a 'ulimit -c 0'
        one_broker
        kill -"$signal" "$PID"
        within 20 has_ended "$BROKER" || return
        unset 'PID_OF[a]'
    done
}

background_child() {
    rm -f gate late
    mkfifo gate
    "$CORACLE" run "$IMAGE" -- sh -c 'setsid sh -c "read -r _ <gate; { cat /etc/image-release; cat /opt/data/file; } >late.part 2>&1
        mv late.part late" </dev/null >/dev/null 2>&1 3>&- &' || return
    within 20 no_broker || return
    sleep 0.3
    [[ $1 == directory ]] || one_server || return
    # Later launches meet anew.
    inside 'cat /etc/image-release'
    assert_output 'image name' || return
    echo >gate
    within 30 test -e late || return
    assert_equal "$(cat late)" $'image name\nfrom the image' || return
    within 30 no_server "$IMAGE"
}

@test "a child that the last rank left keeps its view when the broker has gone" { each_kind background_child; }

@test "CORACLE_LINGER is how long the broker waits for the next rank, in milliseconds" {
    image directory
    local first last
    CORACLE_LINGER=3000 "$CORACLE" run "$IMAGE" -- true
    one_broker
    first=$BROKER
    sleep 1
    # Whoever comes later has nothing to say to it.
    CORACLE_LINGER=0 "$CORACLE" run "$IMAGE" -- true
    last=$(date +%s%3N)
    assert_equal "$(brokers)" "$first"
    within 100 has_ended "$first"
    [[ $(($(date +%s%3N) - last)) -ge 2900 ]]
    CORACLE_LINGER=0 "$CORACLE" run "$IMAGE" -- true
    within 2 no_broker
    # What is no number counts as not set.
    CORACLE_LINGER=long "$CORACLE" run "$IMAGE" -- true
    within 20 no_broker
}

@test "who has ended before the broker has begun is followed by the linger as well" {
    need strace
    image directory
    export CORACLE_LINGER=$((3000 * CORACLE_TEST_SLOWNESS))
    : >trace
    # Nobody else makes this call.
    strace -f -o trace -e trace=epoll_create1 -e inject=epoll_create1:delay_enter=$((400000 * CORACLE_TEST_SLOWNESS)) \
        "$CORACLE" run "$IMAGE" -- true 3>&- &
    within 50 grep -q DELAYED trace
    sleep 0.5
    one_broker
    kill "$BROKER"
}

# --- which launches meet --------------------------------------------------------------------

alone() {
    local user
    start a "$CORACLE" run --share=none "$IMAGE" && start b "$CORACLE" run --share=none "$IMAGE" || return
    assert_different "$(userns a)" "$(userns b)" || return
    CORACLE_SHARE=none start c "$CORACLE" run "$IMAGE" || return
    assert_equal "$(for user in a b c; do userns "$user"; done | sort -u | wc -l)" 3 || return
    assert_equal "$(all_brokers)$(processes coracle-broker none)" '' || return
    [[ $1 == directory || $(servers "$IMAGE" | wc -l) -eq 3 ]] || report 'a server for each was expected' || return
    assert_equal "$(cat a.err b.err c.err)" ''
}

@test "--share=none starts no broker" { each_kind alone; }

@test "--share=KEY: who gives the same one meets" {
    image directory
    start a "$CORACLE" run --share="$KEY-x" "$IMAGE"
    start b "$CORACLE" run --share "$KEY-x" "$IMAGE"
    start c "$CORACLE" run --share="$KEY-y" "$IMAGE"
    CORACLE_SHARE=$KEY-y start d "$CORACLE" run "$IMAGE"
    assert_same "$(namespaces a)" "$(namespaces b)"
    assert_same "$(namespaces c)" "$(namespaces d)"
    assert_different "$(userns a)" "$(userns c)"
    one_broker "$KEY-x"
    one_broker "$KEY-y"
}

@test "without a launcher the session is what is shared" {
    image directory
    unset CORACLE_SHARE
    rm -f seen.*
    local session
    for session in 1 2; do
        setsid bash -c 'for rank in a b; do
            "$CORACLE" run "$IMAGE" -- sh -c "readlink /proc/self/ns/user >seen.$1.$rank; until test -e $PWD/gate; do sleep 0.05; done" &
            sleep 0.3
        done; wait' bash "$session" 3>&- &
    done
    within 50 test -s seen.1.b
    within 50 test -s seen.2.b
    touch gate
    wait
    assert_same "$(cat seen.1.a)" "$(cat seen.1.b)"
    assert_same "$(cat seen.2.a)" "$(cat seen.2.b)"
    assert_different "$(cat seen.1.a)" "$(cat seen.2.a)"
}

# shares TEXT ORIGIN COMMAND...: explain, called by COMMAND, has such a line.
shares() {
    capture "${@:3}" "$CORACLE" explain "$IMAGE" -- true
    assert_success || return
    output=$(grep '^share ' <<<"$output" | tr -s ' ')
    [[ $output == "share $1 [$2]" ]] || report "expected: share $1 [$2]"
}

@test "explain says with whom, and why" {
    local none=(env -u CORACLE_SHARE) session
    image directory
    shares "with key $KEY" CORACLE_SHARE env
    shares 'with slurm step 77.0' 'SLURM_JOB_ID SLURM_STEP_ID' "${none[@]}" SLURM_JOB_ID=77 SLURM_STEP_ID=0
    shares 'with slurm job 77' 'SLURM_JOB_ID' "${none[@]}" SLURM_JOB_ID=77
    shares 'with slurm job 77' 'CORACLE_SHARE SLURM_JOB_ID' "${none[@]}" CORACLE_SHARE=job SLURM_JOB_ID=77 SLURM_STEP_ID=0
    shares 'with pbs job 5.server' PBS_JOBID "${none[@]}" PBS_JOBID=5.server
    shares 'with openmpi 3' OMPI_MCA_ess_base_jobid "${none[@]}" OMPI_MCA_ess_base_jobid=196609
    shares nothing CORACLE_SHARE env CORACLE_SHARE=none
    shares 'with user' CORACLE_SHARE env CORACLE_SHARE=user
    session=$(ps -o sid= -p $$ | tr -d ' ')
    shares "with session $session" session "${none[@]}"
    coracle_explain --share=own-key -- true
    assert_output_has 'with key own-key'
    assert_output_has '[--share]'
    coracle_explain --root -- true
    grep -q '^share  *nothing: .*\[--root\]' <<<"$output"
    coracle_explain --tmpfs /scratch -- true
    grep -q "^share  *with key $KEY, .*view" <<<"$output"
    assert_equal "$(brokers)" ''
}

@test "a key that is none is refused" {
    coracle_run --share= -- true
    assert_fails 125 --share '[usage]'
    coracle_run --share=$'a\nb' -- true
    assert_fails 125 --share '[usage]'
    coracle_run --share="$(printf 'x%.0s' {1..256})" -- true
    assert_fails 125 --share '[usage]'
}
