#!/usr/bin/env bats
# The code blocks of the documents: each command is run and prints what stands there, or
# documents.table says why not.

# shellcheck disable=SC2154 # IMAGE, PROGRAM: helpers

load helpers
load layouts

# Packed once for all documents: it takes seconds.
setup_file() {
    if [[ -z ${TEST_IMAGE_DEBIAN-} ]]; then return; fi
    mksquashfs "$TEST_IMAGE_DEBIAN" "$BATS_FILE_TMPDIR/debian.sqfs" -noappend -quiet -no-progress -comp zstd \
        -Xcompression-level 1 >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log" >&2 && return 1; }
}

# A home with what documents take for granted: a registry that is Docker Hub to us, images by
# their usual names, the files of the tree.
setup() {
    directory_only 'documents name both kinds'
    standard_setup
    need python3 mksquashfs
    need_coracle_image
    cd "$HOME"
    printf '%s\n' 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"' 'NAME="Debian GNU/Linux"' 'VERSION_ID="12"' ID=debian \
        >"$IMAGE/etc/os-release"
    make_layout
    start_registry
    skopeo copy --quiet --insecure-policy --dest-tls-verify=false oci:layout:small "docker://$REGISTRY/library/debian:12"
    skopeo copy --quiet --insecure-policy oci:layout:small docker-archive:saved.tar:saved:1
    gzip -k saved.tar
    printf '[registry."docker.io"]\nmirrors = ["%s"]\n[registry."%s"]\nplain-http = true\n' "$REGISTRY" "$REGISTRY" >site.toml
    rm -rf layout upper lower.tar* upper.tar config
    tree=$(cd "$E2E_DIR/../.." && pwd)
    cp -r "$tree/examples" .
    cp "$tree"/examples/slurm/*.sh "$tree"/examples/*.c .
    stand_ins
    mkdir images
    ln -s "${TEST_IMAGE_DEBIAN:-$IMAGE}" IMAGE
    ln -s "${TEST_IMAGE_DEBIAN:-$IMAGE}" images/debian
    unset CORACLE_CONFIG
    export CORACLE_SITE_CONFIG=$PWD/site.toml PATH=$PWD/stand-ins:${PROGRAM%/*}:$PATH
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
}

# Programs that make images, as far as documents call them: what they give is IMAGE.
stand_ins() {
    mkdir stand-ins
    cat >stand-ins/docker <<END
#!/bin/sh
case \$1 in
create) echo container ;;
export) tar -C '$IMAGE' -c . ;;
save) cat "$PWD/saved.tar" ;;
inspect) echo '{"architecture": "amd64", "os": "linux", "config": {"Env": ["FROM=docker"]}}' ;;
esac
END
    printf '#!/bin/sh\ntar -C "%s" -c .\n' "$IMAGE" >stand-ins/mmdebstrap
    printf '#!/bin/sh\nshift\nexec "$@"\n' >stand-ins/ssh
    chmod +x stand-ins/*
    ln -s docker stand-ins/podman
}

teardown() {
    registry_ends
    standard_teardown
}

# document NAME
document() {
    capture python3 "$E2E_DIR/documents.py" "$tree/$1" "$E2E_DIR/documents.table"
    assert_success
}

@test "README.md" {
    if [[ -n ${TEST_IMAGE_DEBIAN-} ]]; then coracle run IMAGE -- /usr/bin/mpicc -o mpihello mpihello.c; fi
    document README.md
}

# Its coracle ps shows what the user has on the node, and nothing else may be there.
# bats test_tags=alone
@test "doc/tutorial.md" {
    if [[ -n ${TEST_IMAGE_DEBIAN-} ]]; then ln -s "$BATS_FILE_TMPDIR/debian.sqfs" image.sqfs; fi
    document doc/tutorial.md
}

@test "doc/options.md and doc/images.md" {
    document doc/options.md
    document doc/images.md
}

@test "doc/configuration.md" {
    cp site.toml FILE
    document doc/configuration.md
}

@test "doc/site-guide.md" {
    cp site.toml coracle.toml.new
    document doc/site-guide.md
}

@test "doc/complaints.md: what Coracle says in each situation" {
    need unshare setpriv
    capture "$tree/test/bench/complaints" --ours
    assert_success
    assert_output_has 'coracle       ran: 8 of 8' || return
    diff <(grep '^    coracle ' <<<"$output") <(grep '^    coracle ' "$tree/doc/complaints.md")
}

@test "the table is of these documents" {
    local name
    while read -r name; do
        [[ -e $tree/$name || -e $tree/doc/$name ]] || report "no such document: $name"
    done < <(sed -nE 's/^([A-Za-z.-]+) \|.*/\1/p' "$E2E_DIR/documents.table")
}
