#!/usr/bin/env bats
# What was probably meant: the error, or a warning, names it. Nothing else does.

load helpers
load squashfs
load refusals

# says_not TEXT: it is not in the message.
says_not() {
    [[ $stderr != *"$1"* ]] || report "expected no word of: $1"
}

setup() {
    squashfs_setup
    pack image.sqfs
    export TMPDIR=$BATS_TEST_TMPDIR
}

@test "an option has taken the image as its value" {
    refused 125 image-missing run --bind image.sqfs -- true
    says '; --bind took image.sqfs as its value'
    refused 125 image-missing run -b image.sqfs nothing
    says '; -b took image.sqfs as its value'
    refused 125 usage run --bind image.sqfs
    says '; --bind took image.sqfs as its value'
    refused 125 image-missing run --bind=image.sqfs -- nothing
    says_not took
    refused 125 image-missing run --bind /tmp nothing true
    says_not took
    refused 125 image-missing explain --bind image.sqfs -- true
    says '; --bind took image.sqfs as its value'
}

@test "a value that may be left out is given apart" {
    refused 125 image-missing run --writable-tmpfs 1G "$IMAGE" true
    says '; a value of --writable-tmpfs is written with =: --writable-tmpfs=1G'
    mkdir -p house/tmp
    capture "$CORACLE" run --home house image.sqfs
    assert_status 127
    says '; a value of --home is written with =: --home=house'
    capture "$CORACLE" run --home "$IMAGE" nothing
    assert_status 127
    says_not 'written with ='
    refused 125 image-missing run --writable-tmpfs=1G nothing
    says_not 'written with ='
}

@test "-v of docker" {
    refused 125 image-missing run -v /tmp:/x image.sqfs true
    says '; -v is --verbose, and a bind is --bind /tmp:/x'
    refused 125 image-missing run -v nothing true
    says_not --bind
}

@test "options that others have" {
    local word
    refused 125 usage run --volume=/tmp:/x image.sqfs true
    says 'unknown option --volume; write --bind SRC:DST'
    refused 125 usage run -B /tmp:/x image.sqfs true
    says 'unknown option -B; write --bind SRC:DST'
    refused 125 usage run -it image.sqfs true
    says 'unknown option -i; leave it out'
    refused 125 usage run --pwd /tmp image.sqfs
    says 'write --workdir DIR'
    for word in --nv --rm --gpus=all; do
        refused 125 usage run "$word" image.sqfs true
        says "unknown option ${word%=*}; leave it out"
    done
    refused 125 usage exec --pwd / nobody
    says 'write --workdir DIR'
    refused 125 usage run --pid=host image.sqfs true
    says_not --uid
    refused 125 usage run --ro-bind / image.sqfs true
    says 'write --bind SRC:DST:ro'
    refused 125 usage run --bnd /tmp image.sqfs
    says 'did you mean --bind?'
}

@test "exec with an image, as apptainer has it" {
    local option
    refused 125 target exec image.sqfs true
    says 'coracle run executes a command in an image'
    for option in --bind -b --volume -B --fakeroot; do
        refused 125 usage exec "$option" /tmp image.sqfs true
        says "unknown option $option; it is for coracle run"
    done
    refused 125 usage exec --nonsense image.sqfs
    says 'unknown option --nonsense; --help lists'
}

@test "pull with the destination first, as apptainer has it" {
    refused 125 usage pull image.sif docker://docker.io/library/debian
    says 'coracle pull docker://docker.io/library/debian FILE.sqfs'
}

@test "coracle in a #! line, which gives it all words as one" {
    refused 125 usage 'run image.sqfs -- python3' ./script
    says '#!/usr/bin/env -S coracle'
    refused 125 usage 'rum image.sqfs' ./script
    says_not '#!'
}

@test "commands that others have, and none that is far-fetched" {
    local word
    for word in ls list; do
        refused 125 usage "$word"
        says 'coracle images lists'
    done
    refused 125 usage push
    says 'only fetches'
    refused 125 usage build
    says 'builds no images'
    for word in version -V; do
        refused 125 usage "$word"
        says 'coracle --version'
    done
    refused 125 usage prune
    says 'coracle rm'
    refused 125 usage -d run image.sqfs true
    says 'behind the command'
    refused 125 usage sl
    says_not 'did you mean'
    refused 125 usage pul
    says 'did you mean coracle pull?'
}

@test "help of help" {
    local word
    for word in help --help -h; do
        capture "$CORACLE" help "$word"
        assert_success
        assert_output_has 'coracle help COMMAND'
        assert_output_has 'coracle --version'
    done
}

@test "a word of --share with a wrong letter, and a key" {
    local key
    capture "$CORACLE" run --share=stpe "$IMAGE" true
    assert_success
    assert_stderr_has 'warning: --share: stpe is taken as a key; did you mean step?'
    for key in job1 step my-key; do
        capture "$CORACLE" run --share="$key" "$IMAGE" true
        assert_success
        [[ -z $stderr ]] || report 'expected no warning'
    done
    capture env CORACLE_QUIET=yes "$CORACLE" run --share=stpe "$IMAGE" true
    [[ -z $stderr ]] || report 'expected no warning'
}

@test "a variable of ours with a wrong letter, and one of another program" {
    capture env CORACLE_BNID=/tmp "$CORACLE" run "$IMAGE" true
    assert_success
    assert_stderr_has 'warning: the variable CORACLE_BNID means nothing to coracle; did you mean CORACLE_BIND?'
    capture env CORACLE_COLOUR=red CORACLE_SET_X=1 CORACLE_BINDINGS=2 CORACLE_LOG= CORACLE_SHARE=none "$CORACLE" run "$IMAGE" true
    [[ -z $stderr ]] || report 'expected no warning'
    capture env CORACLE_BIND=/tmp "$CORACLE" exec nobody true
    [[ $stderr != *CORACLE_BIND* ]] || report 'expected no warning'
}

@test "explain marks the source that is missing" {
    capture "$CORACLE" explain --bind /nowhere:/x --bind /tmp:/y --bind /nowhere:/z:optional "$IMAGE" true
    assert_success
    [[ $output =~ (^|$'\n')'bind        /x from /nowhere missing '.*'[--bind]' ]] || report 'expected a mark'
    [[ $output =~ $'\n''bind        /y from /tmp '[^m] ]] || report 'expected no mark'
    [[ $output =~ $'\n''bind        /z from /nowhere optional  ' ]] || report 'expected no mark'
    capture "$CORACLE" explain --json --bind /nowhere:/x "$IMAGE" true
    python3 -c 'import json, sys
assert [row["missing"] for row in json.load(sys.stdin)["mounts"] if row["target"] == "/x"] == [True]' <<<"$output"
}

@test "the cache cannot be made: who named it, and what helps" {
    local place=/proc/none/coracle
    printf '# here\n[images]\ncache = "%s"\n' "$place" >coracle.toml
    export CORACLE_CONFIG=$PWD/coracle.toml
    refused 125 output run localhost:1/none:1
    says "$PWD/coracle.toml:3: the cache $place cannot be made: " '/proc/none' CORACLE_CACHE
    CORACLE_CACHE=/proc/other refused 125 output run localhost:1/none:1
    says 'CORACLE_CACHE: the cache /proc/other cannot be made: '
    refused 125 output run --cache /proc/other localhost:1/none:1
    says ': the cache /proc/other cannot be made: '
}

@test "a SquashFS image cannot be changed: how it is unpacked" {
    refused 125 root-writable run --write image.sqfs true
    says 'coracle convert FILE dir:DIRECTORY'
}
