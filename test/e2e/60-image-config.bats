#!/usr/bin/env bats
# An image that carries an OCI configuration: /.coracle/config.json.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

# configure JSON: the member "config" of the image's configuration.
configure() {
    mkdir -p "$IMAGE/.coracle"
    printf '{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":[]}}' \
        "$1" >"$IMAGE/.coracle/config.json"
}

# --- ENTRYPOINT and CMD ----------------------------------------------------

@test "CMD alone is the command, and arguments replace it" {
    configure '{"Cmd":["payload","args","from CMD"]}'
    coracle_run
    assert_output '[from CMD]'
    coracle_run -- payload args given
    assert_output '[given]'
}

@test "ENTRYPOINT takes CMD as arguments, and given ones instead" {
    configure '{"Entrypoint":["payload","args","entry"],"Cmd":["from CMD"]}'
    coracle_run
    assert_output '[entry]
[from CMD]'
    coracle_run -- a b
    assert_output '[entry]
[a]
[b]'
}

@test "ENTRYPOINT alone" {
    configure '{"Entrypoint":["payload","args","entry"],"Cmd":null}'
    coracle_run
    assert_output '[entry]'
}

@test "--entrypoint replaces ENTRYPOINT and drops CMD, as with Docker" {
    configure '{"Entrypoint":["/bin/false"],"Cmd":["from CMD"]}'
    coracle_run --entrypoint /bin/payload -- args given
    assert_output '[given]'
    coracle_run --entrypoint /bin/echo
    assert_output ''
    CORACLE_ENTRYPOINT=/bin/echo coracle_run -- given
    assert_output given
}

@test "--no-entrypoint ignores ENTRYPOINT" {
    configure '{"Entrypoint":["/bin/false"],"Cmd":["payload","args","from CMD"]}'
    coracle_run --no-entrypoint -- payload args given
    assert_output '[given]'
    coracle_run --no-entrypoint
    assert_output '[from CMD]'
    CORACLE_NO_ENTRYPOINT=yes coracle_run -- payload args given
    assert_output '[given]'
}

@test "without CMD and without a command: 127, and both ways out" {
    coracle_run
    assert_fails 127 -- 'coracle shell'
    assert_stderr_has "$IMAGE"
    configure '{}'
    coracle_run
    assert_fails 127 -- 'coracle shell'
    configure '{"Entrypoint":[],"Cmd":[]}'
    coracle_run --
    assert_fails 127 -- 'coracle shell'
}

@test "shell arguments of the configuration are not split or expanded" {
    configure '{"Cmd":["payload","args","$HOME *"," two  words ","","\u00e9\n\"q\""]}'
    coracle_run
    assert_output "[\$HOME *]
[ two  words ]
[]
[é
\"q\"]"
}

# --- ENV -------------------------------------------------------------------

@test "ENV is set over the host's environment" {
    export OVER=host KEPT=host
    configure '{"Env":["OVER=image","NEW=image=x","EMPTY=","MULTI=a\nb"]}'
    inside 'echo "$OVER $KEPT $NEW ${EMPTY-unset} $MULTI"'
    assert_output "image host image=x  a
b"
}

@test "ENV gives way to variables of ours, and these to options" {
    configure '{"Env":["A=image","B=image","C=image"]}'
    CORACLE_ENV=B=variable,C=variable coracle_run --env C=option -- sh -c 'echo $A $B $C'
    assert_output 'image variable option'
    coracle_run --unset-env A -- sh -c 'echo ${A-unset}'
    assert_output unset
}

@test "the PATH of ENV decides the look-up" {
    mkdir "$IMAGE/opt/bin"
    printf '#!/bin/sh\necho tool\n' >"$IMAGE/opt/bin/tool"
    chmod +x "$IMAGE/opt/bin/tool"
    configure '{"Env":["PATH=/opt/bin:/bin"]}'
    coracle_run -- tool
    assert_output tool
    configure '{"Env":["PATH=/opt/bin:/bin"],"Entrypoint":["tool"]}'
    coracle_run
    assert_output tool
}

@test "ENV never changes what the scheduler and MPI have set" {
    export SLURM_JOB_ID=7 PMI_RANK=1 PMIX_RANK=2 OMPI_COMM_WORLD_RANK=3
    configure '{"Env":["SLURM_JOB_ID=x","PMI_RANK=x","PMIX_RANK=x","OMPI_COMM_WORLD_RANK=x"]}'
    inside 'echo $SLURM_JOB_ID $PMI_RANK $PMIX_RANK $OMPI_COMM_WORLD_RANK'
    assert_output '7 1 2 3'
}

@test "ENV sets what is dropped of the host's" {
    export LD_LIBRARY_PATH=/host PYTHONPATH=/host
    configure '{"Env":["LD_LIBRARY_PATH=/image"]}'
    inside 'echo $LD_LIBRARY_PATH ${PYTHONPATH-unset}'
    assert_output '/image unset'
}

@test "with --clean-env the image's ENV is still set" {
    export OWN=x
    configure '{"Env":["NEW=image"]}'
    coracle_run --clean-env -- sh -c 'echo $NEW ${OWN-unset}'
    assert_output 'image unset'
}

# --- WORKDIR and USER ------------------------------------------------------

@test "WORKDIR where the current directory does not exist inside" {
    configure '{"WorkingDir":"/opt/data"}'
    on_host 'mount -t tmpfs none /mnt
        cd /mnt
        "$CORACLE" run "$IMAGE" -- pwd'
    assert_output /opt/data
}

@test "the current directory goes before WORKDIR, --workdir before both" {
    configure '{"WorkingDir":"/opt/data"}'
    coracle_run -- pwd
    assert_output "$BATS_TEST_TMPDIR"
    coracle_run --workdir /etc -- pwd
    assert_output /etc
}

@test "a WORKDIR that the image lacks does no harm" {
    configure '{"WorkingDir":"/nowhere"}'
    on_host 'mount -t tmpfs none /mnt
        cd /mnt
        "$CORACLE" run "$IMAGE" -- pwd'
    assert_output /
}

@test "USER is shown and not obeyed" {
    configure '{"User":"nobody:77","Cmd":["payload","id"]}'
    coracle_run
    assert_output "uid $(id -u) $(id -u) $(id -u)
gid $(id -g) $(id -g) $(id -g)"
    coracle_explain
    assert_output_has nobody:77
}

# --- the rest of the format ------------------------------------------------

@test "an image without /.coracle needs nothing" {
    coracle_run -- echo fine
    assert_output fine
}

@test "unknown members, nulls and blanks are fine" {
    mkdir "$IMAGE/.coracle"
    printf '%s' ' { "created":"2020-01-01T00:00:00Z", "history":[{"x":[1,2.5e3,true,null,{}]}],
        "config" : { "Env":null, "Volumes":{"/x":{}}, "Labels":{"a":"b"}, "Entrypoint":null,
        "Cmd":["echo","fine"], "User":"", "WorkingDir":"" } } ' >"$IMAGE/.coracle/config.json"
    coracle_run
    assert_output fine
}

@test "explain names the image as the origin of what it decides" {
    configure '{"Env":["NEW=image"],"Entrypoint":["payload"],"Cmd":["args"],"WorkingDir":"/opt"}'
    coracle_explain
    assert_success
    grep -q '^env *NEW=image .*\[image' <<<"$output" || report 'expected the origin of NEW'
    grep -q '^command *payload args .*\[.*image' <<<"$output" || report 'expected the origin of the command'
}

@test "a broken configuration is one clear error" {
    local text
    mkdir "$IMAGE/.coracle"
    for text in '' '{' '[]' '{"config":{"Cmd":"string"}}' '{"config":{"Env":[1]}}' \
        '{"config":{"Cmd":["a\u0000b"]}}' '{"config":{}} x'; do
        printf '%s' "$text" >"$IMAGE/.coracle/config.json"
        coracle_run -- true
        assert_fails 125 config.json || return
    done
}

@test "a configuration that is a link out of the image is not followed" {
    configure '{"Cmd":["echo","followed"]}'
    mv "$IMAGE/.coracle/config.json" outside.json
    ln -s "$PWD/outside.json" "$IMAGE/.coracle/config.json"
    coracle_run
    [[ $status -ne 0 ]] || report 'followed a link'
    assert_output_lacks followed
}
