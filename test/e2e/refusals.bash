# shellcheck shell=bash
# shellcheck disable=SC2154 # status, output and stderr are set by `run`
# refusals - what every refusal has in common; loaded behind helpers.

# All that a launch could leave: mounts, files, programs of ours. What images are packed to is of the tests,
# and so are some names beside: those that tests make themselves, and of the identities that they lend.
world() {
    local file places=("$BATS_TEST_TMPDIR")
    [[ $IMAGE == "$BATS_TEST_TMPDIR"/* ]] || places+=("$IMAGE")
    printf '%s\n' "$(<"/proc/$BASHPID/mountinfo")"
    find "${places[@]}" \( -path "$IMAGE" -o -path "$IMAGE/*" \) -printf '%p %m %y %s %T@ %l\n' -o \
        \( -name 'separate-stderr-*' -o -name '*.sqfs' \) -prune -o -printf '%p %m %y %l\n' 2>/dev/null
    for file in {"$XDG_RUNTIME_DIR",/tmp,/dev/shm}/coracle*; do
        [[ (! -O $file && ! -L $file) || ${file##*/} =~ ^coracle-($UID|(e2e|unit|lint|test)[-.].*|1[0-9]*|image-1000-[0-9]*)$ ]] ||
            printf '%s\n' "$file"
    done
}

ours_alive() {
    local environ
    while read -r environ; do
        grep -s '^coracle' "${environ%environ}comm" || true
    done < <(grep -lsaF "$BATS_TEST_TMPDIR" /proc/[0-9]*/environ)
}

# assert_one_error STATUS ID: that status, and one line on stderr, which has the identifier.
assert_one_error() {
    assert_status "$1" || return
    [[ $stderr == 'coracle: error: '*" [$2]" && $stderr != *$'\n'* ]] ||
        report "expected one line: coracle: error: ... [$2]"
}

# refused STATUS ID ARG...: `coracle ARG...` ends like that and leaves nothing.
refused() {
    local before after
    before=$(world)
    run --separate-stderr timeout -k 1 20 "$CORACLE" "${@:3}" </dev/null
    assert_one_error "$1" "$2" || return
    [[ -z $output ]] || report "expected nothing on stdout" || return
    after=$(world)
    [[ $after == "$before" ]] || diff <(sort <<<"$before") <(sort <<<"$after") >&2 || report "left something behind" || return
    [[ -z $(ours_alive) ]] || report "a process is left" || return
    servers_end
}

# says TEXT...: each is in the message.
says() {
    local text
    for text in "$@"; do
        assert_stderr_has "$text" || return
    done
}

# says_one_of TEXT...: for what can be put in several ways.
says_one_of() {
    local text
    for text in "$@"; do
        if [[ ${stderr,,} == *"${text,,}"* ]]; then return 0; fi
    done
    report "expected in stderr one of: $*"
}
