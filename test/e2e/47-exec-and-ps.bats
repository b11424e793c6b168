#!/usr/bin/env bats
# `coracle exec` and `coracle ps`: the containers that are running on this node.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317

load helpers
load squashfs
load ranks

setup() { ranks_setup; }
teardown() { ranks_teardown; }

# A sentence for each refusal: one line, with a way out.
assert_refused() {
    assert_fails 125 "$@" '[target]' || return
    assert_equal "$(grep -c . <<<"$stderr")" 1
}

exec_ways() {
    local name=n$RANDOM$RANDOM job=$((RANDOM * 32768 + RANDOM + 1000000))
    start a env -u CORACLE_SHARE SLURM_JOB_ID=$job SLURM_STEP_ID=0 "$CORACLE" run --name "$name" "$IMAGE" || return
    local target expected
    expected=$(namespaces a)
    for target in "${PID_OF[a]}" "$name" "$job" "$job.0"; do
        capture "$CORACLE" exec "$target" -- sh -c "$NAMESPACES"
        assert_output "$expected" || return
    done
    capture "$CORACLE" exec "$name" -- sh -c 'exit 9'
    assert_status 9 || return
    capture "$CORACLE" exec "$name" --workdir / -- true
    assert_status 127 || return
    [[ $stderr == *'before the container: coracle exec'* ]] || report 'expected the line of exec' || return
    capture "$CORACLE" exec "$job.1" -- true
    assert_refused "$job.1" 'coracle ps' || return
    capture "$CORACLE" exec "${name%?}" -- true
    assert_refused "${name%?}" 'coracle ps' || return
    # Of one view: it does not matter which.
    start b env -u CORACLE_SHARE SLURM_JOB_ID=$job SLURM_STEP_ID=0 "$CORACLE" run --name "$name" "$IMAGE" || return
    capture "$CORACLE" exec "$name" -- readlink /proc/self/ns/mnt
    assert_output "$(mountns a)" || return
    # Another step, and another view.
    start c env -u CORACLE_SHARE SLURM_JOB_ID=$job SLURM_STEP_ID=1 "$CORACLE" run --name "$name" "$IMAGE" || return
    for target in "$name" "$job"; do
        capture "$CORACLE" exec "$target" -- true
        assert_refused "$target" "${PID_OF[c]}" several 'coracle ps' || return
    done
    capture "$CORACLE" exec "$job.1" -- readlink /proc/self/ns/mnt
    assert_output "$(mountns c)"
}

@test "exec by process, name, job and step; what is several, or nothing, is refused" { each_kind exec_ways; }

exec_alone() {
    start a "$CORACLE" run --share=none "$IMAGE" || return
    capture "$CORACLE" exec "$PID" -- sh -c "$NAMESPACES; cat /etc/image-release"
    assert_output "$(namespaces a)
image name" || return
    capture "$CORACLE" exec "$PID" -- sh -c 'echo $FROM_IMAGE'
    assert_output image
}

@test "exec into what is alone goes by process" {
    mkdir "$TREE/.coracle"
    printf '{"config":{"Env":["FROM_IMAGE=image"]}}' >"$TREE/.coracle/config.json"
    each_kind exec_alone
}

@test "exec refuses what is in no container, has ended, or is no process" {
    image directory
    sleep 30 3>&- &
    local process=$!
    capture "$CORACLE" exec "$process" -- true
    assert_refused "$process" 'no container'
    kill "$process"
    wait "$process" || true
    capture "$CORACLE" exec "$process" -- true
    assert_refused "$process"
    capture "$CORACLE" exec 4194304999 -- true
    assert_refused 4194304999
    capture "$CORACLE" exec 0 -- true
    assert_refused 'called 0'
    capture "$CORACLE" exec
    assert_fails 125 '[usage]' 'coracle exec'
    # One of ours in namespaces that are no container: nothing of the user's is entered by mistake.
    unshare -U sleep 30 3>&- &
    process=$!
    sleep 0.2
    capture "$CORACLE" exec "$process" -- true
    assert_refused "$process" 'no container'
    kill "$process"
}

@test "as root: exec and ps leave another user's containers alone" {
    is_root || skip 'only root is two users'
    need setpriv jq
    image directory
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR/test" || true
    chmod 777 "$PWD"
    local name=n$RANDOM$RANDOM
    local other=(setpriv --reuid 12345 --regid 12345 --clear-groups env HOME=/ XDG_RUNTIME_DIR=/nowhere)
    start a "$CORACLE" run --name "$name" "$IMAGE"
    capture "${other[@]}" "$CORACLE" exec "$PID" -- true
    assert_refused "$PID"
    capture "${other[@]}" "$CORACLE" exec "$name" -- true
    assert_refused "$name"
    capture "${other[@]}" "$CORACLE" ps
    assert_output_lacks "$KEY"
    start b "${other[@]}" "$CORACLE" run --name "$name-b" "$IMAGE"
    capture "$CORACLE" exec "$PID" -- true
    assert_refused "$PID"
    capture "$CORACLE" ps
    assert_output_lacks "$name-b"
}

@test "exec without a command gives a shell, which says where one is" {
    need script
    image directory
    export SHELL=/bin/sh TERM=dumb
    start a "$CORACLE" run "$IMAGE"
    capture "$CORACLE" exec "$PID" <<<'echo $0; readlink /proc/self/ns/mnt; exit 6'
    assert_status 6
    assert_equal "$output" "/bin/sh
$(mountns a)"
    mkfifo keys
    (
        sleep 0.7
        printf 'tty; exit\n'
        sleep 0.3
    ) >keys 3>&- &
    capture timeout 20 script -qefc 'exec "$CORACLE" exec '"$PID" /dev/null <keys
    assert_success
    assert_output_has /dev/pts/
    assert_output_lacks "can't access tty"
}

exec_environment() {
    start a env OF_RANK=1 "$CORACLE" run --env GIVEN=rank "$IMAGE" || return
    local own=(env OF_CALLER=1 OVER=host "$CORACLE" exec)
    capture "${own[@]}" "$PID" -- sh -c 'echo "$FROM_IMAGE $OVER ${OF_CALLER-none} ${GIVEN-none}"; pwd'
    assert_output "image image 1 none
$PWD" || return
    capture "${own[@]}" --env OVER=option --workdir /opt/data "$PID" -- sh -c 'echo "$OVER"; pwd'
    assert_output 'option
/opt/data' || return
    capture env LD_PRELOAD= PYTHONPATH=/x "$CORACLE" exec "$PID" -- sh -c 'echo "${PYTHONPATH-none}"'
    assert_output none
}

@test "the environment of exec is the caller's with what the image sets" {
    mkdir "$TREE/.coracle"
    printf '{"config":{"Env":["FROM_IMAGE=image","OVER=image"]}}' >"$TREE/.coracle/config.json"
    each_kind exec_environment
}

ps_json() {
    local name=n$RANDOM$RANDOM
    start a "$CORACLE" run --name "$name" "$IMAGE" && start b "$CORACLE" run "$IMAGE" || return
    start c "$CORACLE" run --tmpfs /scratch "$IMAGE" || return
    one_broker || return
    capture "$CORACLE" ps --json
    assert_success || return
    output=$(jq '.brokers[] | select(.share == "key '"$KEY"'")' <<<"$output") || return
    assert_equal "$(jq -r '.broker.pid, .origin, (.broker.memory > 0)' <<<"$output" | tr '\n' ' ')" "$BROKER CORACLE_SHARE true " ||
        return
    if [[ $1 == squashfs ]]; then
        one_server_for 2 || return
        assert_equal "$(jq '.images[].server.pid' <<<"$output" | sort)" "$(sort <<<"$SERVER")" || return
    else
        assert_equal "$(jq '.images[].server' <<<"$output")" null || return
    fi
    assert_equal "$(jq -r '.images[] | "\(.image) \(.kind)"' <<<"$output" | sort -u)" "$IMAGE $1" || return
    assert_equal "$(jq -c '[.images[].views[] | [.own, (.ranks | map(.pid) | sort)]] | sort' <<<"$output")" \
        "[[false,[$(printf '%s\n' "${PID_OF[a]}" "${PID_OF[b]}" | sort -n | paste -sd,)]],[true,[${PID_OF[c]}]]]" || return
    assert_equal "$(jq -r '.. | .ranks? // empty | .[] | select(.name != "") | "\(.name) \(.pid)"' <<<"$output")" \
        "$name ${PID_OF[a]}" || return
    capture "$CORACLE" ps
    assert_output_has "$KEY" && assert_output_has "$IMAGE" && assert_output_has "${PID_OF[a]} $name" || return
    finish c
    capture "$CORACLE" ps --json
    assert_output_lacks "\"pid\": ${PID_OF[c]-none},"
}

@test "ps lists brokers, images, views and ranks, and its JSON is JSON" {
    need jq
    each_kind ps_json
}

@test "ps where nothing runs" {
    need jq
    # Other tests of this user may run: in a network namespace nobody is seen.
    capture unshare -Urn "$CORACLE" ps
    assert_output 'no containers'
    capture unshare -Urn "$CORACLE" ps --json
    assert_equal "$(jq -c . <<<"$output")" '{"brokers":[]}'
    capture "$CORACLE" ps extra
    assert_fails 125 '[usage]'
}

# A process that exec left keeps what it was left in.
@test "what exec starts is a rank like others: it keeps the view" {
    image directory
    start a "$CORACLE" run "$IMAGE"
    local view
    view=$(mountns a)
    start b "$CORACLE" exec "$PID"
    finish a
    sleep 0.6
    start c "$CORACLE" run "$IMAGE"
    assert_equal "$(mountns b)" "$view"
    assert_equal "$(mountns c)" "$view"
}
