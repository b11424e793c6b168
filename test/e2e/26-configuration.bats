#!/usr/bin/env bats
# Configuration files: which are read, in which order, what they set, who may write them,
# and that a launch sees a change at once but pays nothing for them otherwise.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load squashfs
load ranks

setup() {
    ranks_setup || return
    umask 022
    unset CORACLE_CONFIG CORACLE_SHARE
    IMAGE=$TREE
    SITE=$BATS_TEST_TMPDIR/site/coracle.toml
    USERS=$HOME/.config/coracle/coracle.toml
    mkdir "${SITE%/*}"
    # An absent file that is named would be an error.
    : >"$SITE"
    export CORACLE_SITE_CONFIG=$SITE IMAGE
}
teardown() { ranks_teardown; }

site() { printf '%s\n' "$@" >"$SITE"; }
drop_in() {
    mkdir -p "${SITE%/*}/coracle.d"
    printf '%s\n' "${@:2}" >"${SITE%/*}/coracle.d/$1"
}
users() {
    mkdir -p "${USERS%/*}"
    printf '%s\n' "$@" >"$USERS"
}

# value NAME [OPTION...]: of a variable inside, in output; empty where it is not set.
value() {
    local name=$1
    shift
    coracle_run "$@" -- sh -c "printf %s \"\${$name-}\""
}

# assert_refused TEXT...: every way to launch fails with the same one line.
assert_refused() {
    local first
    coracle_run -- true
    assert_fails 125 '[config]' "$@" || return
    assert_equal "$(grep -c . <<<"$stderr")" 1 || return
    first=$stderr
    for command in explain shell run; do
        capture "$CORACLE" "$command" "$IMAGE" -- true
        assert_status 125 && assert_equal "$stderr" "$first" || return
    done
    capture "$CORACLE" exec 1 true
    assert_status 125 && assert_equal "$stderr" "$first" || return
    capture "$PROGRAM" config
    assert_status 125 && assert_equal "$stderr" "$first"
}

# --- which, in which order -----------------------------------------------------------

@test "site, drop-ins in byte order, user, variables, options: each later one wins" {
    site 'run.env = ["A=site", "SITE=1"]'
    value A
    assert_output site
    drop_in 10.toml 'run.env = ["A=ten"]'
    value A
    assert_output ten
    drop_in 9.toml 'run.env = ["A=nine"]'
    value A
    assert_output nine
    drop_in B.toml 'run.env = ["A=B"]'
    drop_in a.toml 'run.env = ["A=a"]'
    value A
    assert_output a
    users 'run.env = ["A=user"]'
    value A
    assert_output user
    CORACLE_ENV=A=variable value A
    assert_output variable
    CORACLE_ENV=A=variable value A --env A=option
    assert_output option
    value SITE
    assert_output 1
}

@test "the usual places: SYSCONFDIR, XDG_CONFIG_HOME, HOME" {
    local usual
    unset CORACLE_SITE_CONFIG
    usual=$("$PROGRAM" config --json | sed -n 's/.*"path": "\(.*\)".*/\1/p' | head -n 1)
    usual=${usual%/coracle/coracle.toml}
    [[ -d $usual ]] || skip "there is no $usual to mount on"
    export USUAL=$usual
    mkdir -p etc/coracle/coracle.d xdg/coracle
    echo 'run.env = ["A=1", "B=1", "C=1"]' >etc/coracle/coracle.toml
    echo 'run.env = ["B=2", "C=2"]' >etc/coracle/coracle.d/x.toml
    echo 'run.env = ["C=3"]' >xdg/coracle/coracle.toml
    users 'run.env = ["C=4"]'
    on_host '
        mount --bind "$BATS_TEST_TMPDIR/etc" "$USUAL"
        show() { as 1000 env "$@" "$CORACLE" run "$IMAGE" -- sh -c "echo \$A\$B\$C"; }
        show A=0
        show XDG_CONFIG_HOME="$BATS_TEST_TMPDIR/xdg"
        show CORACLE_CONFIG=
        show CORACLE_SITE_CONFIG='
    assert_output $'124\n123\n122\n4'
}

@test "a file that a variable names must be there; an empty variable is none" {
    users 'run.env = ["A=user"]'
    echo 'run.env = ["A=other"]' >"$HOME/other.toml"
    CORACLE_CONFIG=$HOME/other.toml value A
    assert_output other
    CORACLE_CONFIG='' value A
    assert_output ''
    value A
    assert_output user
    CORACLE_CONFIG=$HOME/no.toml assert_refused CORACLE_CONFIG "$HOME/no.toml" 'does not exist'
    CORACLE_SITE_CONFIG=site.toml assert_refused CORACLE_SITE_CONFIG site.toml absolute
}

# --- what they set -------------------------------------------------------------------

@test "explain and --dry-run name file and line" {
    make_source
    site '[run]' "bind = [" "  \"$SOURCE:/opt/data\"," ']' 'share = "user"' 'no-home = true' 'env = ["A=1"]'
    coracle_explain -- true
    assert_output_has "[$SITE:3]"
    assert_output_has "[$SITE:5]"
    assert_output_has "[$SITE:7]"
    assert_output_lacks "$HOME "
    coracle_run --dry-run --json -- true
    assert_output_has "\"origin\": \"$SITE:3\""
}

@test "flags, values and lists are what the options would be" {
    make_source
    echo 'B=file' >"$SOURCE/vars"
    site '[run]' "bind = [\"$SOURCE:/opt/data\"]" "mount = [\"type=tmpfs,target=/opt/empty\"]" \
        'tmpfs = ["/opt/other"]' "env-file = [\"$SOURCE/vars\"]" 'workdir = "/opt/data"' \
        'unset-env = ["GONE"]' 'uid = 4321' 'writable-tmpfs = true'
    GONE=1 inside 'cat file; ls /opt/empty /opt/other; echo $B ${GONE-unset} $(id -u); touch /written && echo written'
    assert_output $'from the host\n/opt/empty:\n\n/opt/other:\nfile unset 4321\nwritten'
}

@test "an option and a variable win over a setting that contradicts them" {
    site '[run]' 'writable-tmpfs = true' 'uid = 5' 'no-home = true'
    coracle_explain --write --root -- true
    assert_success
    assert_output_has '[--write]'
    assert_output_has '[--root]'
    CORACLE_WRITE=yes CORACLE_ROOT=yes coracle_explain -- true
    assert_output_has '[CORACLE_WRITE]'
    assert_output_has '[CORACLE_ROOT]'
    CORACLE_WRITABLE_TMPFS=no coracle_explain -- true
    assert_output_has "root        read-only"
    make_source
    coracle_explain --home="$SOURCE" -- true
    assert_output_has '[--home]'
    users 'run.write = true'
    coracle_explain -- true
    assert_output_has "[$USERS:1]"
    site '[run]' 'root = true'
    coracle_explain --uid 7 -- true
    assert_output_has '[--uid]'
}

@test "settings of one file that contradict each other are an error" {
    site '[run]' 'writable-tmpfs = true' 'write = true'
    coracle_run -- true
    assert_fails 125 "$SITE:2" "$SITE:3" exclude config
}

@test "false takes back what a file before has set" {
    site '[run]' 'clean-env = true' 'home = true'
    users '[run]' 'clean-env = false' 'home = false'
    export SEEN=1
    value SEEN
    assert_output 1
    coracle_explain -- true
    assert_output_lacks "$HOME "
    users ''
    value SEEN
    assert_output ''
    CORACLE_CLEAN_ENV=no value SEEN
    assert_output 1
}

@test "exec takes what concerns the process, and no bind" {
    site '[run]' 'env = ["A=set"]' 'bind = ["/nowhere:/x"]' 'workdir = "/opt/data"'
    CORACLE_SITE_CONFIG='' start a "$CORACLE" run "$IMAGE"
    capture "$CORACLE" exec "${PID_OF[a]}" -- sh -c 'echo $A; pwd'
    assert_output $'set\n/opt/data'
}

# --- variables in values -------------------------------------------------------------

@test "variables are those of each launch" {
    make_source
    mkdir "$SOURCE/1" "$SOURCE/2" 'a:b'
    echo one >"$SOURCE/1/file"
    echo two >"$SOURCE/2/file"
    echo odd >'a:b/file'
    export SOURCE
    site '[run]' 'bind = ["$SOURCE/${JOB}:/opt/data"]' 'workdir = "/opt/data"'
    JOB=1 coracle_run -- cat file
    assert_output one
    JOB=2 coracle_run -- cat file
    assert_output two
    SOURCE=$PWD JOB=a:b coracle_run -- cat file
    assert_output odd
}

@test "a variable that is not set: an error that names it, or the bind is left out" {
    site '[run]' 'bind = ["/x/$NOT_SET:/opt/data"]'
    coracle_run -- true
    assert_fails 125 "$SITE:2" NOT_SET config
    site '[run]' 'bind = ["/x/$NOT_SET:/opt/data:ro,optional"]'
    coracle_run -- cat /opt/data/file
    assert_output 'from the image'
    site '[run]' 'bind = ["/x/$"]'
    assert_refused "$SITE:2:9" dollar
    site '[run]' 'bind = ["source:/opt/data"]'
    coracle_run -- true
    assert_fails 125 "$SITE:2" absolute
}

# --- files that count for nothing ----------------------------------------------------

@test "a broken file fails every launch, with file, line and column" {
    site '[run]' 'bnid = ["/x"]'
    assert_refused "$SITE:2:1" bnid 'did you mean bind'
    site '[rnu]'
    assert_refused "$SITE:1:2" rnu 'did you mean run'
    site 'x ='
    assert_refused "$SITE:1:"
    site ''
    drop_in x.toml '[run]' 'share = 1'
    assert_refused "$BATS_TEST_TMPDIR/site/coracle.d/x.toml:2:9" string
    rm "$BATS_TEST_TMPDIR/site/coracle.d/x.toml"
    users '[images]' 'cache = "relative"'
    assert_refused "$USERS:2:9" absolute
    users ''
    coracle_run -- true
    assert_success
}

@test "a value that the option would not take names file and line" {
    site '[run]' 'share = "job"' 'bind = ["/x:y"]'
    coracle_run -- true
    assert_fails 125 "$SITE:3" y config
}

@test "help needs no configuration" {
    site 'broken'
    capture "$CORACLE" run --help
    assert_success
    capture "$CORACLE" exec -h
    assert_success
    capture "$CORACLE" config --help
    assert_success
    capture "$CORACLE" ps
    assert_success
}

@test "a file that others could write to is refused" {
    site 'run.env = ["A=1"]'
    chmod 664 "$SITE"
    assert_refused "$SITE" 'by its group' 'chmod go-w'
    chmod 646 "$SITE"
    assert_refused "$SITE" 'by everybody' 0646
    chmod 644 "$SITE"
    chmod 775 "${SITE%/*}"
    assert_refused "${SITE%/*}" 'by its group' 0775
    chmod 1777 "${SITE%/*}"
    assert_refused "${SITE%/*}" 'by everybody' 1777
    chmod 755 "${SITE%/*}"
    drop_in x.toml ''
    chmod 777 "${SITE%/*}/coracle.d"
    assert_refused "${SITE%/*}/coracle.d" 'by everybody'
    chmod 755 "${SITE%/*}/coracle.d"
    value A
    assert_output 1
}

@test "a link is followed where nobody else could change where it leads" {
    mkdir shared
    echo 'run.env = ["A=shared"]' >shared/file
    ln -sf "$PWD/shared/file" "$SITE"
    value A
    assert_output shared
    chmod 777 shared
    echo '#' >>shared/file
    assert_refused "$PWD/shared" 'by everybody'
    ln -sf nowhere "$SITE"
    assert_refused "$SITE" nowhere 'does not exist'
}

@test "what is no file, cannot be read, or is too large is refused" {
    rm "$SITE"
    mkfifo "$SITE"
    assert_refused "$SITE" 'regular file'
    rm "$SITE"
    mkdir "$SITE"
    assert_refused "$SITE" 'regular file'
    rmdir "$SITE"
    head -c $((1024 * 1024 + 1)) /dev/zero | tr '\0' '\n' >"$SITE"
    assert_refused "$SITE" 'too large'
    skip_as_root 'reads everything'
    site ''
    chmod 0 "$SITE"
    assert_refused "$SITE" 'permission denied'
}

# --- changes, and what they cost -----------------------------------------------------

@test "the next launch sees a change, a new file, one that is gone, and a repaired one" {
    site 'run.env = ["A=1"]'
    value A
    assert_output 1
    site 'run.env = ["A=2"]'
    value A
    assert_output 2
    drop_in x.toml 'run.env = ["A=3"]'
    value A
    assert_output 3
    sleep 0.05 # the clock of file systems ticks a few milliseconds at a time
    drop_in y.toml 'run.env = ["A=4"]'
    value A
    assert_output 4
    sleep 0.05
    rm "${SITE%/*}/coracle.d/y.toml"
    value A
    assert_output 3
    mkdir "$HOME/.config"
    value A
    assert_output 3
    users 'run.env = ["A=5"]'
    value A
    assert_output 5
    rm -r "$HOME/.config"
    value A
    assert_output 3
    site broken
    coracle_run -- true
    assert_status 125
    site ''
    value A
    assert_output 3
}

# A home directory in which things come and go is no reason to ask the name service again.
@test "other changes in the home directory leave the record as it is" {
    local record before
    record=$XDG_RUNTIME_DIR/coracle-$(id -u)/record
    coracle_run -- true
    before=$(stat -c %i "$record")
    touch "$HOME/something"
    mkdir "$HOME/more"
    coracle_run -- true
    assert_equal "$(stat -c %i "$record")" "$before"
    users ''
    coracle_run -- true
    [[ $(stat -c %i "$record") != "$before" ]] || report 'the new file was not seen'
}

# calls: how many system calls a launch makes that finds an equal view, none of which fails.
calls() {
    strace -o trace "$CORACLE" run "$IMAGE" -- /bin/true || return
    sed -n '2,/execve(/p' trace >before-exec
    ! grep ' = -1 ' before-exec || report 'a call failed' || return
    ! grep -E 'fork\(|clone\(' before-exec || report 'the record was made anew' || return
    grep -c . before-exec
}

@test "an equal plan pays one look for each file or place, and no call fails" {
    need strace
    is_squashfs && skip 'as-squashfs makes calls of its own'
    newer_kernel_only 'each call that it lacks is one more'
    is_sanitized && skip 'the sanitizers make calls of their own'
    need_static
    local none some
    image directory
    unset CORACLE_SITE_CONFIG
    start a "$CORACLE" run "$IMAGE"
    none=$(calls)
    finish_all
    ((none <= 41 + 5)) || report "$none calls; 41 with musl"
    export CORACLE_SITE_CONFIG=$SITE
    site '[run]' 'env = ["A=$A"]'
    drop_in x.toml 'run.env = ["B=1"]'
    users 'run.env = ["C=1"]'
    sleep 0.15
    start a "$CORACLE" run "$IMAGE"
    some=$(calls)
    finish_all
    # The site's file, the drop-in and their directory for the directory above; the user's for his
    # home. A longer record may take one more read.
    ((some >= none + 2 && some <= none + 3)) || report "$some calls, $none without files"
}

@test "inside a container: the files that are seen there, and no others" {
    is_sanitized && skip 'libraries of the sanitizers are not shown'
    local programs options=(--bind /usr)
    programs=$(dirname "$PROGRAM")
    skip_as_root 'Linux lets nobody map uid 0 who lacks CAP_SETFCAP, as all without --root do'
    for directory in /lib /lib64; do [[ ! -d $directory ]] || options+=(--bind "$directory"); done
    users 'run.env = ["A=user"]'
    site 'run.env = ["B=site"]'
    capture "$PROGRAM" run "${options[@]}" --bind "$programs" --bind "$BATS_TEST_TMPDIR" "$TREE" -- \
        "$PROGRAM" run "$TREE" -- sh -c 'echo $A $B'
    assert_output 'user site'
    capture "$PROGRAM" run "${options[@]}" --bind "$programs" --no-home --tmpfs "$BATS_TEST_TMPDIR" "$TREE" -- \
        "$PROGRAM" config
    assert_fails 125 CORACLE_SITE_CONFIG 'does not exist'
}

# --- coracle config ------------------------------------------------------------------

@test "config prints files, settings and variables with their origins" {
    site '[run]' 'bind = ["/a:/b"]' 'share = "job"' '[images]' 'cache = "$HOME/c"' \
        '[registry."ghcr.io"]' 'mirrors = ["mirror:5000/p"]' 'plain-http = true'
    drop_in x.toml 'run.no-home = true'
    CORACLE_SHARE=user CORACLE_BIND=/c capture "$CORACLE" config
    assert_success
    assert_equal "$(sed -E 's/ +/ /g' <<<"$output")" "file.site $SITE read, of CORACLE_SITE_CONFIG
file.drop-in ${SITE%/*}/coracle.d/x.toml read
file.user $USERS absent
run.bind /a:/b $SITE:2
run.no-home true ${SITE%/*}/coracle.d/x.toml:1
run.bind /c CORACLE_BIND
run.share user CORACLE_SHARE
images.cache '\$HOME/c' $SITE:5
registry.\"ghcr.io\".mirrors mirror:5000/p $SITE:6
registry.\"ghcr.io\".plain-http true $SITE:6"
}

@test "config --json is JSON and says the same" {
    need python3
    site '[run]' 'bind = ["/a:/b"]' 'no-home = true' '[registry."ghcr.io"]' 'ca-file = "/ca"'
    capture "$CORACLE" config --json
    assert_success
    python3 -c 'import json, sys
config = json.load(sys.stdin)
assert [f["kind"] for f in config["files"]] == ["site", "user"], config
assert [f["exists"] for f in config["files"]] == [True, False], config
assert config["run"][0]["value"] == "/a:/b" and config["run"][1]["value"] is True, config
assert config["run"][0]["origin"] == sys.argv[1] + ":2", config
assert config["registry"][0]["ca-file"] == "/ca", config' "$SITE" <<<"$output"
}

@test "config check: all files, or one, wherever it is" {
    site '[run]' 'bind = ["/a:/b"]'
    capture "$CORACLE" config check
    assert_output "$SITE: ok
$USERS: absent"
    printf '[run]\nbind = ["/a:/b", "/c:relative"]\n' >draft.toml
    chmod 666 draft.toml
    capture "$CORACLE" config check draft.toml
    assert_fails 125 draft.toml:2 relative config
    printf '[run]\nbind = ["/a:/b"]\nshar = "job"\n' >draft.toml
    capture "$CORACLE" config check draft.toml
    assert_fails 125 draft.toml:3:1 'did you mean share' config
    # Whether a variable is set is seen where it is used.
    printf '[run]\nworkdir = "$NOT_SET_HERE/x"\n' >draft.toml
    capture "$CORACLE" config check draft.toml
    assert_output 'draft.toml: ok'
    capture "$CORACLE" config check nowhere.toml
    assert_fails 125 nowhere.toml 'no such file'
    capture "$CORACLE" config check a b
    assert_fails 125 usage
    capture "$CORACLE" config chekc
    assert_fails 125 usage
}

@test "the example of a site's file can be used" {
    local file=$E2E_DIR/../../examples/coracle.toml
    capture "$CORACLE" config check "$file"
    assert_success
    [[ $output == *coracle.toml': ok' ]] || report 'not ok'
}
