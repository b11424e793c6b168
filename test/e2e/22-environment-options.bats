#!/usr/bin/env bats
# Options for the working directory and the environment, and CORACLE_* variables.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

# --- --workdir -------------------------------------------------------------

@test "--workdir" {
    coracle_run --workdir /opt/data -- pwd
    assert_output /opt/data
    coracle_run -w /opt/../etc -- pwd
    assert_output /etc
}

@test "--workdir of a bind" {
    make_source
    coracle_run --workdir /scratch/deep -b "$SOURCE:/scratch/deep" -- cat file
    assert_output 'from the host'
}

@test "--workdir that is not inside is refused" {
    coracle_run --workdir /nowhere -- true
    assert_fails 125 /nowhere
    coracle_run --workdir /etc/hosts -- true
    assert_fails 125 /etc/hosts
}

# --- environment -----------------------------------------------------------

@test "--env NAME=VALUE, NAME, and the last one wins" {
    export OUTSIDE='from outside' GONE=x
    unset NOWHERE
    coracle_run -e A=1 --env B='two words=x' --env EMPTY= --env OUTSIDE --env A=2 --env NOWHERE -- \
        sh -c 'echo "$A|$B|${EMPTY-unset}|$OUTSIDE|${NOWHERE-unset}"'
    assert_output '2|two words=x||from outside|unset'
}

@test "--env NAME brings back a variable that is dropped by default" {
    export PYTHONPATH=/x
    coracle_run -- sh -c 'echo ${PYTHONPATH-unset}'
    assert_output unset
    coracle_run --env PYTHONPATH --env LD_LIBRARY_PATH=/y -- \
        sh -c 'echo "$PYTHONPATH $LD_LIBRARY_PATH"'
    assert_output '/x /y'
}

@test "--env PATH decides where the command is looked up" {
    mkdir "$IMAGE/opt/bin"
    printf '#!/bin/sh\necho mine\n' >"$IMAGE/opt/bin/tool"
    chmod +x "$IMAGE/opt/bin/tool"
    coracle_run --env PATH=/opt/bin:/bin -- tool
    assert_output mine
}

@test "--env-file: lines NAME=VALUE and NAME, comments and empty lines" {
    export OUTSIDE='from outside'
    printf '%s\n' '# a comment' '' 'A=1' 'B=two words "quoted" # kept' 'OUTSIDE' 'A=3' >vars
    printf 'LAST=no newline' >>vars
    coracle_run --env-file vars -- sh -c 'echo "$A|$B|$OUTSIDE|$LAST"'
    assert_output '3|two words "quoted" # kept|from outside|no newline'
    coracle_run --env-file vars --env A=option -- sh -c 'echo $A'
    assert_output option
}

@test "--env-file that is missing or broken is refused, by file and line" {
    coracle_run --env-file /nowhere/vars -- true
    assert_fails 125 /nowhere/vars
    printf 'A=1\n=2\n' >vars
    coracle_run --env-file vars -- true
    assert_fails 125 vars 'line 2'
}

@test "a name with a blank in it is refused, by option, file and variable" {
    coracle_run --env 'export C=3' -- true
    assert_fails 125 --env "'export C'" blank
    coracle_run --env $'A\tB' -- true
    assert_fails 125 --env blank
    printf '  # a comment\n \t\n  A=1\nexport C=3\n' >vars
    coracle_run --env-file vars -- true
    assert_fails 125 vars 'line 4' "'export C'"
    CORACLE_ENV='A=1, B=2' coracle_run -- true
    assert_fails 125 CORACLE_ENV "' B'"
    head -n 3 vars >good
    coracle_run --env-file good --env 'B=a blank' -- sh -c 'echo "$A|$B"'
    assert_output '1|a blank'
}

@test "--unset-env GLOB" {
    export AB=1 AC=2 B=3
    coracle_run --unset-env 'A*' -- sh -c 'echo "${AB-unset} ${AC-unset} ${B-unset}"'
    assert_output 'unset unset 3'
    coracle_run --unset-env 'A[B]' --unset-env '?' -- \
        sh -c 'echo "${AB-unset} ${AC-unset} ${B-unset}"'
    assert_output 'unset 2 unset'
}

@test "--env and --unset-env apply in the order given" {
    export AB=1
    coracle_run --unset-env 'A*' --env AX=kept -- sh -c 'echo ${AB-unset} ${AX-unset}'
    assert_output 'unset kept'
    coracle_run --env AX=lost --unset-env 'A*' -- sh -c 'echo ${AB-unset} ${AX-unset}'
    assert_output 'unset unset'
}

@test "--clean-env keeps only what schedulers and MPI need" {
    export OWN=x SLURM_JOB_ID=7 SLURMD_NODENAME=n1 PMI_RANK=1 PMI_FD=9 PMIX_RANK=2 \
        OMPI_COMM_WORLD_RANK=3 EDITOR=vi
    coracle_run --clean-env --env SET=given -- sh -c 'echo ${OWN-unset} ${EDITOR-unset} $SET
        echo $SLURM_JOB_ID $SLURMD_NODENAME $PMI_RANK $PMI_FD $PMIX_RANK $OMPI_COMM_WORLD_RANK'
    assert_output 'unset unset given
7 n1 1 9 2 3'
}

@test "the table of dropped variables" {
    export LD_PRELOAD='' LD_LIBRARY_PATH=/x PYTHONHOME=/x PYTHONPATH=/x PERL5LIB=/x KEPT=yes
    inside 'echo ${LD_PRELOAD-u} ${LD_LIBRARY_PATH-u} ${PYTHONHOME-u} ${PYTHONPATH-u} ${PERL5LIB-u} $KEPT'
    assert_output 'u u u u u yes'
}

# --- CORACLE_* variables ---------------------------------------------------

@test "CORACLE_BIND gives binds, between commas, before those of options" {
    make_source one
    make_source two
    echo two >two/file
    CORACLE_BIND="$PWD/one:/a:ro,$PWD/two:/b" coracle_run --bind "$PWD/two:/a" -- \
        sh -c 'cat /a/file /b/file'
    assert_output 'two
two'
}

@test "each option can be a variable" {
    make_source
    export OWN=x AB=1
    CORACLE_WORKDIR=/opt coracle_run -- pwd
    assert_output /opt
    CORACLE_UID=12 CORACLE_GID=13 coracle_run -- payload id
    assert_output 'uid 12 12 12
gid 13 13 13'
    CORACLE_ROOT=yes coracle_run -- mount -t tmpfs none /opt
    assert_success
    CORACLE_ENV=A=1 coracle_run -- sh -c 'echo $A'
    assert_output 1
    echo A=2 >vars
    CORACLE_ENV_FILE=vars coracle_run -- sh -c 'echo $A'
    assert_output 2
    CORACLE_UNSET_ENV='A*' coracle_run -- sh -c 'echo ${AB-unset}'
    assert_output unset
    CORACLE_CLEAN_ENV=yes coracle_run -- sh -c 'echo ${OWN-unset}'
    assert_output unset
    CORACLE_TMPFS=/opt/data:size=64k coracle_run -- ls /opt/data
    assert_output ''
    CORACLE_WRITABLE_TMPFS=yes coracle_run -- touch /etc/new
    assert_success
    CORACLE_NO_DEFAULT_BINDS=yes coracle_run -- cat /etc/hosts
    assert_output 'image hosts'
    CORACLE_WRITE=yes coracle_run -- touch /etc/new
    if is_squashfs; then
        assert_fails 125 CORACLE_WRITE '[root-writable]'
    else
        assert_success
        [[ -e $IMAGE/etc/new ]]
    fi
}

@test "an option wins over its variable, which wins over the default" {
    CORACLE_WORKDIR=/opt coracle_run --workdir /etc -- pwd
    assert_output /etc
    CORACLE_ENV=A=variable coracle_run --env A=option -- sh -c 'echo $A'
    assert_output option
}

@test "a switch can be off in its variable" {
    CORACLE_ROOT=no coracle_run -- mount -t tmpfs none /opt
    assert_status 1
}

@test "no in the variable of an option with an optional value" {
    # It need not exist for a plan; below /tmp it would be shown anyway.
    export HOME=/srv/home
    coracle_explain -- true
    assert_output_has 'bind        /srv/home '
    CORACLE_HOME=no coracle_explain -- true
    assert_success
    assert_output_lacks 'bind        /srv/home '
    CORACLE_HOME=no coracle_explain --home -- true
    assert_output_has 'bind        /srv/home '
    CORACLE_WRITABLE_TMPFS=no coracle_run -- touch /etc/new
    assert_status 1
}

@test "--root and --uid win over the variables that contradict them" {
    CORACLE_UID=5 CORACLE_GID=6 coracle_run --root -- payload id
    assert_output 'uid 0 0 0
gid 0 0 0'
    CORACLE_ROOT=yes coracle_run --uid 5 --gid 6 -- sh -c 'payload id; grep ^CapEff /proc/self/status'
    assert_output 'uid 5 5 5
gid 6 6 6
CapEff:	0000000000000000'
    CORACLE_ROOT=yes CORACLE_UID=5 coracle_run -- true
    assert_fails 125 CORACLE_ROOT CORACLE_UID
    coracle_run --root --uid 5 -- true
    assert_fails 125 --root --uid
}

@test "a bad value names the variable" {
    CORACLE_UID=-1 coracle_run -- true
    assert_fails 125 CORACLE_UID -1
    CORACLE_ROOT=perhaps coracle_run -- true
    assert_fails 125 CORACLE_ROOT perhaps
    CORACLE_BIND=/nowhere/at-all coracle_run -- true
    assert_fails 125 CORACLE_BIND /nowhere/at-all
}

@test "each row of the plan names the variable or option that it comes from" {
    make_source
    CORACLE_BIND="$SOURCE:/a" CORACLE_WORKDIR=/opt CORACLE_TMPFS=/t coracle_explain \
        --bind "$SOURCE:/b" --env X=1 -- true
    assert_success
    local row
    for row in '/a from .*\[CORACLE_BIND]' '/b from .*\[--bind]' '/opt *\[CORACLE_WORKDIR]' \
        '/t.*\[CORACLE_TMPFS]' 'X.*\[--env]'; do
        grep -q -- "$row" <<<"$output" || report "expected a row: $row"
    done
}
