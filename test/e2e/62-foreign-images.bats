#!/usr/bin/env bats
# Images of other systems: what these keep beside the root is honoured.
#
# Charliecloud's are made by ch-image and ch-convert. Enroot's are made by hand
# after what `enroot import` writes, Singularity's after what `apptainer build`
# does: neither of the two programs has made them.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317

load helpers
load squashfs
load layouts
load ranks

setup() { ranks_setup; }
teardown() { ranks_teardown; }

# --- Charliecloud --------------------------------------------------------------

# build_charliecloud [LINE...]: of TREE, by a Dockerfile with these lines too. Leaves the image `made` in
# ch-image's storage.
build_charliecloud() {
    need ch-image ch-convert git
    mkdir context
    printf '%s\n' 'FROM base:1' 'ENV FLAGS="-a -b" PATH=/opt/bin:/bin SLURM_JOB_ID=x' 'WORKDIR /srv/app' \
        "$@" >context/Dockerfile
    export CH_IMAGE_STORAGE=$PWD/storage GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@localhost
    export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@localhost
    capture ch-image import "$TREE" base:1
    assert_success || return
    capture ch-image build --no-cache -t made context
    assert_success
}

charliecloud_runs() {
    coracle_run -- sh -c 'echo "$FLAGS|$PATH"'
    assert_output '-a -b|/opt/bin:/bin' || return
    (cd / && mkdir -p "$BATS_TEST_TMPDIR/only-here" && cd "$BATS_TEST_TMPDIR/only-here" &&
        coracle_run --no-default-binds --no-home -- pwd && assert_output /srv/app) || return
    SLURM_JOB_ID=7 coracle_run --unset-env 'FL*' --env PATH=/bin -- sh -c 'echo "${FLAGS-unset}|$PATH|$SLURM_JOB_ID"'
    assert_output 'unset|/bin|7' || return
    coracle_run
    assert_fails 127 'coracle shell' || return
    coracle_explain -- true
    assert_output_has '[image /ch/environment]' && assert_output_has '[image /ch/metadata.json]'
}

@test "Charliecloud: what ch-image built runs with its ENV and WORKDIR, as directory and SquashFS" {
    build_charliecloud
    capture ch-convert -i ch-image -o dir made made.dir
    assert_success
    IMAGE=$PWD/made.dir charliecloud_runs
    need_squashfs
    capture ch-convert -i ch-image -o squash made made.sqfs
    assert_success
    IMAGE=$PWD/made.sqfs charliecloud_runs
}

charliecloud_names_a_command() {
    coracle_run
    assert_output 'entry a b -a -b' || return
    coracle_run -- echo other
    assert_output other || return
    coracle_run --no-entrypoint
    assert_output 'entry a b -a -b' || return
    coracle_explain
    assert_output_has '[image /ch/metadata.json]'
}

@test "Charliecloud: ENTRYPOINT and CMD, as ch-image 0.45 keeps them" {
    need jq
    build_charliecloud 'ENTRYPOINT ["/bin/sh", "-c", "echo entry \"$0\" $FLAGS"]' 'CMD ["a b"]'
    capture ch-convert -i ch-image -o dir made made.dir
    assert_success
    # Older ones drop them.
    if ! grep -q entrypoint made.dir/ch/metadata.json; then
        jq '.entrypoint = ["/bin/sh", "-c", "echo entry \"$0\" $FLAGS"] | .cmd = ["a b"]' \
            made.dir/ch/metadata.json >metadata
        mv -f metadata made.dir/ch/metadata.json
    fi
    IMAGE=$PWD/made.dir charliecloud_names_a_command
}

# charliecloud LINE...: TREE gets an environment of these lines.
charliecloud() {
    mkdir -p "$TREE/ch"
    printf '%s\n' "$@" >"$TREE/ch/environment"
}

charliecloud_expands() {
    coracle_run --env FROM=option -- sh -c 'echo "$A $B $C $D $FROM"'
    assert_output "host:x y '' x:host option"
}

@test "Charliecloud: the rules of ch-run --set-env" {
    export HOST=host
    charliecloud 'A=$HOST:$NOPE:x' "B='y'" "C=''''" '' 'D=x:$HOST' 'FROM=image'
    each_kind charliecloud_expands
}

# saying COMMAND...: becomes it; all that ranks say goes to the file `said`.
saying() { exec "$@" 2>>said; }

warned_once() {
    rm -f said
    coracle_run -- sh -c 'echo $A $C'
    assert_output 'b d' || return
    assert_equal "$(grep -c warning <<<"$stderr")" 1 || return
    assert_stderr_has '/ch/environment, line 2' && assert_stderr_has 'and 1 more' || return
    # Of the ranks that meet the first says it, and this was one.
    within 30 no_broker || return
    start a saying "$CORACLE" run "$IMAGE" && start b saying "$CORACLE" run "$IMAGE" || return
    assert_same "$(mountns a)" "$(mountns b)" || return
    assert_equal "$(cat said)" "$stderr"
}

@test "Charliecloud: a stray line costs that line, and one warning" {
    charliecloud 'A=b' 'stray' '=x' 'C=d'
    each_kind warned_once
}

# --- Enroot ----------------------------------------------------------------------

# enroot RUN ALONE: TREE as `enroot import` makes it: /etc/rc ends in `exec RUN "$@"`, or `exec ALONE`.
enroot() {
    mkdir -p "$TREE/srv/app"
    cat >"$TREE/etc/rc" <<EOF
# enroot-provenance: docker://registry-1.docker.io#library/test:latest
# maintainer somebody

mkdir -p "/srv/app" 2> /dev/null
cd "/srv/app" && unset OLDPWD || exit 1

if [ -s /etc/rc.local ]; then
    . /etc/rc.local
fi

if [ \$# -gt 0 ]; then
    exec $1 "\$@"
else
    exec $2
fi
EOF
    printf '# This file is sourced by /etc/rc when the container starts.\n' >"$TREE/etc/rc.local"
    printf '%s\n' 'PATH=/opt/bin:/bin' '# comment' 'DATA=${HOME}/data' 'LINES=one' 'two' 'QUOTED="a b"' \
        'ENROOT_X=y' >"$TREE/etc/environment"
    printf '/proc /mnt none bind\n${ENROOT_ROOTFS}/opt /srv none x-create=dir,bind\n' >"$TREE/etc/fstab"
}

enroot_runs() {
    coracle_run
    assert_output $'[-e]\n[it\'s]\n[CMD]' || return
    coracle_run -- given 'two words'
    assert_output $'[-e]\n[given]\n[two words]' || return
    coracle_run --no-entrypoint -- sh -c 'echo "$PATH|$DATA|$LINES|$QUOTED|${ENROOT_X-unset}"'
    assert_output "/opt/bin:/bin|$HOME/data|one|a b|unset" || return
    coracle_run --entrypoint payload -- args x
    assert_output '[x]' || return
    coracle_run --no-entrypoint --no-home --no-default-binds -- pwd
    assert_output /srv/app || return
    coracle_run --no-entrypoint --workdir /opt -- pwd
    assert_output /opt || return
    # No mount of the image's.
    coracle_run --no-entrypoint -- sh -c 'ls /mnt /srv'
    assert_output $'/mnt:\n\n/srv:\napp' || return
    coracle_explain
    assert_output_has '[image /etc/rc]' && assert_output_has '[image /etc/environment]'
}

@test "Enroot: ENV, ENTRYPOINT, CMD and WORKDIR, and never fstab" {
    mkdir -p "$TREE/mnt"
    enroot "'payload' 'args' '-e'" "'payload' 'args' '-e' 'it'\\''s' 'CMD'"
    each_kind enroot_runs
}

enroot_without_entrypoint() {
    coracle_run
    assert_output '[CMD]' || return
    coracle_run -- payload args given
    assert_output '[given]'
}

@test "Enroot: CMD alone is what a command replaces" {
    enroot '' "'payload' 'args' 'CMD'"
    each_kind enroot_without_entrypoint
}

enroot_changed() {
    coracle_run -- given
    assert_output $'[-e]\n[local]\n[given]' || return
    coracle_run --no-entrypoint -- payload args given
    assert_output '[given]'
}

@test "Enroot: an rc that somebody has changed is executed by the image's shell" {
    enroot "'payload' 'args' '-e'" "'payload' 'args' '-e'"
    echo 'set -- local "$@"' >>"$TREE/etc/rc.local"
    each_kind enroot_changed
}

# --- Singularity and Apptainer --------------------------------------------------------

# singularity: TREE as `apptainer build` makes it of a docker image and a definition file.
singularity() {
    mkdir -p "$TREE/.singularity.d/env" "$TREE/.singularity.d/libs"
    cat >"$TREE/.singularity.d/env/10-docker2singularity.sh" <<'EOF'
#!/bin/sh
export PATH="/opt/bin:/bin"
export LANG="${LANG:-"C.UTF-8"}"
export WORDS="${WORDS:-"two words"}"
EOF
    cat >"$TREE/.singularity.d/env/90-environment.sh" <<'EOF'
#!/bin/sh
# Custom environment shell code should follow
export PATH="/app/bin:$PATH"
export MODE="${MODE:-slow}"
export SEEN="$MODE/${HOST-unset}/${SLURM_JOB_ID-}"
IFS=,
set -f
EOF
    cat >"$TREE/.singularity.d/env/99-base.sh" <<'EOF'
LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/.singularity.d/libs"
export LD_LIBRARY_PATH
EOF
    printf 'echo "not a script of env/*.sh"\n' >"$TREE/.singularity.d/env/README"
    printf '#!/bin/sh\necho "runscript: $MODE $*"\n' >"$TREE/.singularity.d/runscript"
    printf 'touch /tmp/never; exit 1\n' >"$TREE/.singularity.d/startscript"
    printf '{"LABEL":"x"}\n' >"$TREE/.singularity.d/labels.json"
    chmod +x "$TREE/.singularity.d/runscript" "$TREE/.singularity.d/startscript"
}

singularity_runs() {
    export HOST=host LANG=de_DE.UTF-8 SLURM_JOB_ID=7
    coracle_run
    assert_output 'runscript: slow ' || return
    coracle_run -- sh -c 'echo "$PATH|$LANG|$WORDS|$SEEN|$HOST|$LD_LIBRARY_PATH"'
    assert_output '/app/bin:/opt/bin:/bin|C.UTF-8|two words|slow/unset/7|host|/.singularity.d/libs' || return
    assert_equal "$stderr" '' || return
    coracle_run --entrypoint /.singularity.d/runscript -- a 'b c'
    assert_output 'runscript: slow a b c' || return
    coracle_run -- payload args '' 'a  b' '*' . -x =y
    assert_output $'[]\n[a  b]\n[*]\n[.]\n[-x]\n[=y]' || return
    coracle_run -- sh -c 'exit 9'
    assert_status 9 || return
    coracle_run -- no-such-command
    assert_status 127 || return
    # Nothing of ours is left.
    coracle_run -- sh -c 'export -p'
    ! grep -iE "^export coracle_(held|set|f|n|shell)" <<<"$output" || report 'variables are left' || return
    coracle_explain
    assert_output_has 'source      /.singularity.d/env/*.sh' && assert_output_has '[image /.singularity.d/runscript]'
}

@test "Singularity: the scripts are sourced, and the runscript is what runs without a command" {
    singularity
    each_kind singularity_runs
}

converts_with_warning() {
    local place
    capture "$CORACLE" convert --force "$IMAGE" oci-archive:made.tar
    assert_success || return
    assert_equal "$(grep -c . <<<"$stderr")" "${#PLACES[@]}" || return
    for place in "${PLACES[@]}"; do
        assert_stderr_has "in /$place, are not in the configuration of what was made" || return
    done
    capture "$CORACLE" convert --force "$IMAGE" made.sqfs
    assert_equal "$status$stderr" 0
}

@test "what a configuration would say is missed in an archive, with a warning" {
    need_coracle_image
    PLACES=()
    each_kind converts_with_warning
    charliecloud 'A=x'
    PLACES=(ch/environment)
    each_kind converts_with_warning
    rm -r "$TREE/ch"
    singularity
    PLACES=(.singularity.d)
    each_kind converts_with_warning
}

@test "SIF: the same, made by Apptainer where it is installed" {
    need_squashfs
    singularity
    image squashfs
    if command -v apptainer >/dev/null; then
        capture apptainer build image.sif "$TREE"
        assert_success
    else
        make_sif image.sif "$IMAGE"
    fi
    IMAGE=$PWD/image.sif singularity_runs
}

singularity_options() {
    export HOST=host KEEP=keep LC_X=c
    unset SLURM_JOB_ID
    coracle_run --env MODE=fast --env WORDS=$'new\n"line"' --unset-env 'L*' --env LATE=y --unset-env HOST -- \
        sh -c 'echo "$SEEN|$MODE|$WORDS|${LANG-unset} ${LD_LIBRARY_PATH-unset} ${LC_X-unset} $LATE|${HOST-unset} $KEEP"'
    assert_output $'fast/unset/|fast|new\n"line"|unset unset unset y|unset keep' || return
    coracle_run --clean-env --env PATH=/bin -- sh -c 'echo "$PATH|$WORDS|${KEEP-unset}"'
    assert_output '/bin|two words|unset' || return
    coracle_run --unset-env '*' --env PATH=/bin -- env
    grep -v -e '^SHLVL=' -e '^PWD=' -e '^OLDPWD=' -e '^_=' <<<"$output" >left || true
    assert_equal "$(<left)" PATH=/bin
}

@test "Singularity: options come after the scripts, which see what is set" {
    singularity
    each_kind singularity_options
}

# show_libraries: what the host's shells are linked with is shown in images.
show_libraries() {
    local dir
    CORACLE_BIND=
    for dir in /lib /lib64 /etc/ld.so.cache "$@"; do
        [[ ! -e $dir ]] || CORACLE_BIND+=${CORACLE_BIND:+,}$dir:$dir:ro
    done
    export CORACLE_BIND
}

@test "Singularity: the same with dash, and with bash, which is preferred" {
    need dash bash
    singularity
    rm "$TREE/bin/sh"
    cp "$(command -v dash)" "$TREE/bin/sh"
    show_libraries
    each_kind singularity_runs
    each_kind singularity_options
    cp "$(command -v bash)" "$TREE/bin/bash"
    printf 'declare -a list=(a b); export WORDS="two words"; export BASHES=${list[1]}\n' \
        >"$TREE/.singularity.d/env/50-bash.sh"
    each_kind singularity_runs
    each_kind singularity_options
    coracle_run -- sh -c 'echo $BASHES'
    assert_output b
}

# The command is the process that was launched: nobody waits for it.
singularity_in_place() {
    local pid
    "$CORACLE" run "$IMAGE" -- sh -c 'echo $$ >"$1"; sleep 30' sh "$PWD/pid" 3>&- &
    pid=$!
    within 50 test -s pid || return
    assert_equal "$(<pid)" "$pid" || return
    kill "$pid" $(pgrep -P "$pid")
    wait "$pid" || true
    rm pid
}

@test "Singularity: the shell that sources becomes the command" {
    singularity
    each_kind singularity_in_place
}

singularity_shell() {
    capture "$CORACLE" shell "$IMAGE" <<<'echo "$SEEN"; exit 3'
    assert_status 3 || return
    assert_output_has slow/unset/
}

@test "Singularity: shell has the environment too" {
    singularity
    each_kind singularity_shell
}

@test "Singularity: an image without a shell is told so" {
    singularity
    rm -f "$TREE"/bin/{sh,ash,bash} "$TREE/busybox/sh"
    coracle_run -- payload args x
    assert_fails 127 /.singularity.d/env 'no shell'
}

# --- ranks that meet -------------------------------------------------------------------

# The second rank of an equal plan has the environment of the first, and so has exec.
ranks_agree() {
    local name=n$RANDOM$RANDOM
    start a "$CORACLE" run --name "$name" "${OPTIONS[@]}" "$IMAGE" || return
    start b "$CORACLE" run "${OPTIONS[@]}" "$IMAGE" || return
    start c "$CORACLE" run "${OPTIONS[@]}" --tmpfs /srv "$IMAGE" || return # another view
    assert_same "$(mountns a)" "$(mountns b)" && assert_different "$(mountns a)" "$(mountns c)" || return
    assert_equal "$(ask a "$SHOW")" "$EXPECTED" && assert_equal "$(ask b "$SHOW")" "$EXPECTED" || return
    assert_equal "$(ask c "$SHOW")" "$EXPECTED" || return
    capture "$CORACLE" exec "$name" -- sh -c "$SHOW"
    assert_output "$EXPECTED"
}

@test "Charliecloud: ranks that meet, and exec, have the same environment" {
    charliecloud 'A=image' 'PATH=/bin:/opt/bin'
    OPTIONS=() SHOW='echo "$A $PATH"' EXPECTED='image /bin:/opt/bin'
    each_kind ranks_agree
}

@test "Enroot: the same" {
    enroot '' "'sh'"
    OPTIONS=(--no-entrypoint) SHOW='echo "$PATH $QUOTED"' EXPECTED='/opt/bin:/bin a b'
    each_kind ranks_agree
}

@test "Singularity: the same" {
    singularity
    OPTIONS=() SHOW='echo "$PATH $WORDS"' EXPECTED='/app/bin:/opt/bin:/bin two words'
    each_kind ranks_agree
}

# 24 at once, nobody there before: none may miss a script because another looks it up.
many_agree() {
    local i
    rm -f many.*
    for i in {1..24}; do
        "$CORACLE" run "$IMAGE" -- sh -c 'echo "$PATH $WORDS"' >many.$i 2>&1 3>&- &
    done
    wait
    assert_equal "$(cat many.* | sort | uniq -c | sed 's/^ *//')" "24 /app/bin:/opt/bin:/bin two words"
}

@test "Singularity: many ranks at once all have what the scripts set" {
    singularity
    each_kind many_agree
}

# --- what is no image of theirs -----------------------------------------------------------

plain_runs() {
    coracle_run -- sh -c 'echo "${PAM-unset}"'
    assert_output unset || return
    assert_equal "$stderr" ''
}

@test "the /etc/environment of PAM and the /etc/rc of others say nothing" {
    printf 'PAM=yes\n' >"$TREE/etc/environment"
    each_kind plain_runs
    printf '#!/bin/sh\nexport PAM=yes\nexec "$@"\n' >"$TREE/etc/rc"
    each_kind plain_runs
}

ours_runs() {
    coracle_run
    assert_output '[ours]' || return
    coracle_run -- sh -c 'echo "${A-unset} ${WORDS-unset} ${QUOTED-unset}"'
    assert_output 'unset unset unset'
}

@test "beside a configuration of ours none of it counts" {
    charliecloud 'A=image'
    enroot '' "'false'"
    singularity
    mkdir "$TREE/.coracle"
    echo '{"config":{"Cmd":["payload","args","ours"]}}' >"$TREE/.coracle/config.json"
    each_kind ours_runs
}

# --- hostile contents -------------------------------------------------------------------

linked_runs() {
    coracle_run -- sh -c 'echo "${SECRET-unset}"'
    assert_output unset
}

@test "links are not followed, out of the image or within it" {
    printf 'SECRET=host\n' >secret
    mkdir "$TREE/ch" "$TREE/real"
    ln -s "$PWD/secret" "$TREE/ch/environment"
    each_kind linked_runs
    rm -r "$TREE/ch"
    printf 'SECRET=inside\n' >"$TREE/real/environment"
    ln -s real "$TREE/ch"
    each_kind linked_runs
    rm "$TREE/ch"
    mkdir "$TREE/ch"
    mkfifo "$TREE/ch/environment"
    each_kind linked_runs
    rm "$TREE/ch/environment"
    mkdir "$TREE/ch/environment"
    each_kind linked_runs
}

too_large() {
    coracle_run -- true
    assert_fails 125 '/ch/environment is larger than 1048576 bytes' "$IMAGE" '[image-config]' || return
    assert_equal "$(grep -c . <<<"$stderr")" 1
}

too_many() {
    coracle_run -- true
    assert_fails 125 '/ch/environment sets more than 4096 variables' "$IMAGE" '[image-config]'
}

@test "what is too large, or too much, is one clear error" {
    mkdir "$TREE/ch"
    head -c 1048577 /dev/zero >"$TREE/ch/environment"
    each_kind too_large
    seq -f 'A%g=' 4097 >"$TREE/ch/environment"
    each_kind too_many
}

binary_runs() {
    coracle_run -- payload args fine
    assert_output '[fine]'
}

@test "binary files and such that are cut do no harm" {
    mkdir "$TREE/ch"
    head -c 100000 /dev/urandom >"$TREE/ch/environment"
    head -c 1000 /dev/urandom >"$TREE/ch/metadata.json"
    each_kind binary_runs
    rm -r "$TREE/ch"
    enroot '' "'false'"
    printf '# enroot-provenance: \0\n' >"$TREE/etc/rc"
    head -c 100000 /dev/urandom >"$TREE/etc/environment"
    coracle_run --no-entrypoint -- payload args fine
    assert_output '[fine]'
}

@test "variables that repeat each other do not grow beyond all memory" {
    local i
    enroot '' "'false'"
    {
        echo A0=xxxxxxxxxxxxxxxx
        for i in {1..99}; do echo "A$i=\${A$((i - 1))}\${A$((i - 1))}"; done
    } >"$TREE/etc/environment"
    coracle_run --no-entrypoint --unset-env 'A[1-9]*' -- sh -c 'echo ${#A0}'
    assert_output 16
}
