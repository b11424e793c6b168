#!/usr/bin/env bats
# `coracle shell` and `coracle explain`.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

# --- shell -----------------------------------------------------------------

# which_shell: the program that `coracle shell` starts, by its own words.
# The caller has no passwd entry, whose shell would come second.
which_shell() {
    capture stranger "$CORACLE" shell "$IMAGE" <<<'echo "$0"; readlink /proc/$$/exe'
}

@test "shell starts the user's shell if the image has it" {
    mkdir -p "$IMAGE/usr/bin"
    printf '#!/bin/sh\necho my shell\n' >"$IMAGE/usr/bin/zsh"
    chmod +x "$IMAGE/usr/bin/zsh"
    SHELL=/usr/bin/zsh which_shell
    assert_output 'my shell'
}

@test "shell finds the user's shell at another place of the image" {
    printf '#!/bin/sh\necho my shell\n' >"$IMAGE/bin/zsh"
    chmod +x "$IMAGE/bin/zsh"
    SHELL=/usr/local/sbin/zsh which_shell
    assert_output 'my shell'
}

@test "shell starts the best that the image has otherwise: bash before sh" {
    SHELL=/usr/bin/zsh which_shell
    assert_success
    [[ ${lines[1]} == /bin/busybox ]]
    printf '#!/bin/sh\necho bash\n' >"$IMAGE/bin/bash"
    chmod +x "$IMAGE/bin/bash"
    SHELL=/usr/bin/zsh which_shell
    assert_output bash
}

@test "shell without SHELL" {
    unset SHELL
    which_shell
    assert_success
    [[ ${lines[1]} == /bin/busybox ]]
}

@test "shell in an image with busybox alone" {
    find "$IMAGE/bin" -type l -delete
    capture stranger "$CORACLE" shell "$IMAGE" -- -c 'echo "$0 $1"' sh x
    assert_output 'sh x'
    capture stranger "$CORACLE" shell "$IMAGE" <<<'echo "$0"'
    assert_output sh
}

@test "shell in an image without any is one clear error" {
    rm "$IMAGE"/bin/*sh "$IMAGE/bin/busybox"
    which_shell
    assert_fails 127 "$IMAGE"
}

@test "shell ignores ENTRYPOINT and CMD" {
    mkdir "$IMAGE/.coracle"
    printf '{"config":{"Entrypoint":["/bin/false"],"Cmd":["x"],"Env":["NEW=image"]}}' \
        >"$IMAGE/.coracle/config.json"
    capture "$CORACLE" shell "$IMAGE" <<<'echo $NEW; exit 6'
    assert_status 6
    assert_equal "$output" image
}

@test "shell takes the options of run, and arguments for the shell" {
    capture "$CORACLE" shell --tmpfs /scratch --env A=1 "$IMAGE" -- -c 'ls -d /scratch; echo $A $1' sh x
    assert_output '/scratch
1 x'
}

@test "the prompt of shell says where one is" {
    need script
    export SHELL=/bin/sh PS1='outside> ' TERM=dumb
    mkfifo keys
    (
        sleep 0.7
        printf 'exit\n'
        sleep 0.3
    ) >keys &
    mv "$IMAGE" "$BATS_TEST_TMPDIR/my-image"
    IMAGE=$BATS_TEST_TMPDIR/my-image
    capture timeout 20 script -qefc 'exec "$CORACLE" shell "$IMAGE"' /dev/null <keys
    assert_success
    assert_output_has my-image
    assert_output_lacks "can't access tty"
}

@test "the prompt of bash says where one is, also with a bashrc that sets one" {
    need script
    local bash
    bash=$(command -v bash)
    [[ -d /lib64 ]] || skip 'no bash to borrow from the host'
    mkdir -p "$IMAGE"/{lib,lib64}
    # The host's bash with its libraries.
    cp "$bash" "$IMAGE/bin/bash"
    ldd "$bash" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$IMAGE$(dirname "$library")"
        cp "$library" "$IMAGE$library"
    done
    echo "PS1='from bashrc> '" >"$HOME/.bashrc"
    export SHELL=/bin/bash TERM=dumb
    mkfifo keys
    (
        sleep 0.7
        printf 'exit\n'
        sleep 0.3
    ) >keys &
    mv "$IMAGE" "$BATS_TEST_TMPDIR/my-image"
    IMAGE=$BATS_TEST_TMPDIR/my-image
    capture timeout 20 script -qefc 'exec "$CORACLE" shell "$IMAGE"' /dev/null <keys
    assert_success
    assert_output_has my-image
}

# --- explain ---------------------------------------------------------------

@test "explain does nothing" {
    coracle_explain -- touch "$BATS_TEST_TMPDIR/ran"
    assert_success
    [[ ! -e ran ]]
}

@test "explain gives each row an origin" {
    export TMPDIR=/var/tmp
    coracle_explain --bind "/proc:/x" --tmpfs /y --env A=1 -- sh
    assert_success
    local line
    for line in "${lines[@]}"; do
        [[ $line =~ \[[^]]+\]$ ]] || report "no origin: $line"
    done
    for line in '/x ' '/y ' ' /proc ' 'A=1' '/etc/hosts' "$IMAGE"; do
        assert_output_has "$line"
    done
    grep -q '/var/tmp.*\[TMPDIR]' <<<"$output" || report 'expected the row of TMPDIR'
}

# same_text OPTION... -- COMMAND: explain's text, dry-run's text and the trace
# of a real run are the same.
same_text() {
    local explained
    coracle_explain "$@"
    assert_success || return
    explained=$output
    coracle_run --dry-run "$@"
    assert_output "$explained" || return
    coracle_run -v "$@"
    assert_success || return
    assert_equal "${stderr//$'\n'coracle: /$'\n'}" "coracle: $explained"
}

@test "explain is the text of the trace of a real run" {
    mkdir -p source 'so urce'
    touch source/file
    export TMPDIR=/var/tmp PYTHONPATH=/x
    same_text -- true
    same_text --bind source:/a/b:ro,nosuid --bind 'so urce:/opt/x y' --tmpfs /t:size=1m \
        --bind source/file:/etc/new --bind /nowhere:/n:optional -- true
    same_text --env A=1 --env "B=two words" --unset-env 'P*' --workdir /opt -- sh -c 'exit 0'
    same_text --root --writable-tmpfs=2m -- true
    is_squashfs || same_text --write --no-home --uid 5 --gid 6 -- true
    same_text --no-home --uid 5 --gid 6 -- true
    same_text --no-default-binds --clean-env -- true
    CORACLE_BIND=$PWD/source:/c CORACLE_ENV=C=2 same_text -- true
}

@test "explain is the text of the trace with a configuration in the image" {
    mkdir "$IMAGE/.coracle"
    printf '{"config":{"Entrypoint":["sh","-c"],"Cmd":["exit 0"],"Env":["NEW=image"],"User":"u","WorkingDir":"/opt"}}' \
        >"$IMAGE/.coracle/config.json"
    same_text
}

@test "explain wants no command where the image names none, and takes the image's" {
    coracle_explain --tmpfs /scratch
    assert_success
    assert_output_has 'none: the image names none'
    assert_output_has /scratch
    capture "$CORACLE" explain --json "$IMAGE"
    assert_success
    assert_equal "$(python3 -c 'import json, sys; print(json.load(sys.stdin)["command"]["argv"])' <<<"$output")" '[]'
    coracle_run --dry-run
    assert_fails 127 no-command
    mkdir "$IMAGE/.coracle"
    echo '{"config":{"Cmd":["its", "own"]}}' >"$IMAGE/.coracle/config.json"
    coracle_explain
    assert_success
    grep -q '^command  *its own' <<<"$output" || report "expected the command of the image"
}

@test "explain shows odd names so that they can be told apart, one line a row" {
    mkdir $'new\nline' $'\xff'
    coracle_explain --bind $'new\nline:/a\tb' --bind $'\xff:/c' -- echo $'two\nlines' ''
    assert_success
    local line
    for line in "${lines[@]}"; do
        [[ $line =~ \[[^]]+\]$ ]] || report "not a row: $line"
    done
}

@test "explain writes no escape sequence of a name to a terminal" {
    local name=$'\e]0;title\a'
    mkdir "$name"
    coracle_explain --bind "$name:/a" -- true
    assert_success
    assert_output_lacks $'\e'
    coracle_run --bind "/nowhere/$name:/a" -- true
    assert_status 125
    assert_stderr_lacks $'\e'
}

@test "explain shell and explain run" {
    capture "$CORACLE" explain run "$IMAGE" -- echo x
    assert_success
    assert_output_has 'echo x'
    SHELL=/bin/sh capture "$CORACLE" explain shell --tmpfs /t "$IMAGE"
    assert_success
    assert_output_has /bin/sh
    assert_output_has /t
}

@test "explain says what is wrong, as run does" {
    coracle_explain --bind relative:also-relative -- true
    assert_fails 125 also-relative
    coracle_explain --nonsense -- true
    assert_fails 125 --nonsense
    capture "$CORACLE" explain /nowhere/image
    assert_fails 125 /nowhere/image
}

# --- JSON ------------------------------------------------------------------

@test "--json is valid JSON and tells the same rows" {
    need python3
    mkdir source
    cat >check.py <<'PY'
import json, sys
text = sys.stdin.buffer.read()
plan = json.loads(text.decode("utf-8"))
flat = json.dumps(plan, ensure_ascii=False)
for wanted in sys.argv[1:]:
    assert wanted in flat, f"{wanted} is not in {flat}"
print("valid")
PY
    coracle_explain --json --bind "source:/a b" --env 'Q="quoted"\x' --tmpfs /t:size=1m -- sh -c $'echo "x"\n\t'
    assert_success
    capture python3 check.py "/a b" "$PWD/source" /t --bind /etc/hosts "$IMAGE" <<<"$output"
    assert_output valid
    coracle_run --dry-run --json -- echo x
    assert_success
    capture python3 check.py "$IMAGE" <<<"$output"
    assert_output valid
}

@test "--json: a path that is not UTF-8 has a base64 field besides" {
    need python3
    cat >check.py <<'PY'
import base64, json, os, sys
plan = json.loads(sys.stdin.buffer.read().decode("utf-8"))
found = set()
def walk(value):
    if isinstance(value, dict):
        for key, item in value.items():
            if "base64" in key and isinstance(item, str):
                found.add(base64.b64decode(item, validate=True))
            walk(item)
    elif isinstance(value, list):
        for item in value:
            walk(item)
walk(plan)
missing = [w for w in map(os.fsencode, sys.argv[1:]) if w not in found]
assert not missing, f"{missing} not among {found}"
print("valid")
PY
    mkdir $'s\xffrc'
    mv "$IMAGE" $'image\xfe'
    IMAGE=$PWD/$'image\xfe'
    "$CORACLE" explain --json --bind $'s\xffrc:/d\xc3\x28' "$IMAGE" -- echo $'\x80' >plan.json
    capture python3 check.py "$PWD/"$'s\xffrc' $'/d\xc3\x28' "$(image_file)" <plan.json
    assert_output valid
}

@test "--json gives a path that is UTF-8 no base64 field" {
    mkdir 'é'
    coracle_explain --json --bind 'é:/ü' -- true
    assert_success
    assert_output_lacks base64
    assert_output_has 'é'
}
