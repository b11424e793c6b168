#!/usr/bin/env bats
# Images by their names: what is not here is brought into the cache, once.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
load squashfs
load layouts

setup() { cache_setup; }

teardown() {
    registry_ends
    standard_teardown
}

# made: how many images and names there are.
made() { echo "$(find cache/images -type f | wc -l) $(find cache/names -type l | wc -l)"; }

# An archive of docker, as skopeo writes it.
make_archive() {
    need skopeo
    rm -f "$1"
    skopeo copy --quiet --insecure-policy oci:layout:small "docker-archive:$1:example.org/small:1.0"
}

@test "a layout, an archive, a tar by its path: the same image, which the cache has once" {
    make_archive saved.tar
    for name in oci:layout:small docker-archive:saved.tar docker-archive:saved.tar:example.org/small:1.0 ./saved.tar \
        "$PWD/saved.tar" saved.tar; do
        capture "$CORACLE" run "$name"
        assert_output second || report "$name"
        assert_equal "$stderr" ''
        capture "$CORACLE" run "$name" -- sh -c 'echo $FROM $1' sh argument
        assert_output 'image argument' || report "$name"
    done
    assert_equal "$(made)" '1 4'
    capture "$CORACLE" shell oci:layout:small -- -c 'echo $FROM'
    assert_output image
    capture "$CORACLE" explain oci:layout:small
    assert_output_has "$PWD/cache/names/"
}

@test "what was converted and has changed is converted again" {
    make_archive saved.tar
    capture "$CORACLE" run docker-archive:saved.tar
    assert_output second
    echo third >"$IMAGE/etc/image-release"
    rm -rf layout upper
    make_layout
    sed -i s/second/third/ upper/etc/image-release
    tar -C upper --sort=name --mtime=@1700000000 --owner=7 --group=8 --numeric-owner -cf upper.tar .
    tar -cf plain.tar -C "$IMAGE" .
    make_archive saved.tar
    capture "$CORACLE" run docker-archive:saved.tar -- sh -c 'cat /etc/image-release; stat -c %s /etc/image-release'
    assert_success
    assert_equal "$(made)" '2 2'
}

@test "the process stays the same, and what it inherits goes through" {
    local process status=0
    exec 7>seven
    sh -c 'echo $$ >pid; ulimit -n 77; exec "$0" run --env A=b oci:layout:small -- \
        sh -c "echo \$\$ \$(ulimit -n) \$A; echo to seven >&7; kill -TERM \$\$"' "$CORACLE" >out 2>err 3>&- &
    process=$!
    wait "$process" || status=$?
    assert_equal "$(<out)" "$process 77 b"
    assert_equal "$process" "$(<pid)"
    assert_equal "$(<seven)" 'to seven'
    assert_equal "$status" 143
    exec 7>&-
}

@test "the libraries of a job's modules are not for our programs, and the job keeps its environment" {
    ! is_sanitized || skip 'needs a static coracle'
    local library
    mkdir modules
    echo 'int nothing;' >nothing.c
    gcc -shared -fPIC -o modules/nothing.so nothing.c
    # Whatever coracle-image and coracle-config need, but in name only.
    ldd "$(dirname "$PROGRAM")"/coracle-{image,config} | awk '/=>/ { print $1 }' | sort -u >libraries
    grep -q libarchive libraries
    while read -r library; do
        [[ $library == libc.so* ]] || cp modules/nothing.so "modules/$library"
    done <libraries
    export CORACLE_CACHE=$PWD/cache
    for round in missing there; do
        # shellcheck disable=SC2097,SC2098
        # What the caller calls as we do stays what it is: it becomes no variable of the linker's.
        capture env LD_LIBRARY_PATH="$PWD/modules" LD_PRELOAD="$PWD/modules/none.so" LD_OTHER=x \
            CORACLE_ASIDE_LD_AUDIT=evil CORACLE_ASIDE_CORACLE_ASIDE_LD_DEBUG=all "$CORACLE" run \
            --env LD_LIBRARY_PATH --env LD_PRELOAD --env LD_OTHER oci:layout:small -- env
        assert_success
        assert_equal "$stderr" ''
        assert_output_has "LD_LIBRARY_PATH=$PWD/modules"
        # In its order, but for what differs from launch to launch.
        echo "$output" >"$round"
    done
    cmp missing there
    assert_equal "$(grep ASIDE there)" $'CORACLE_ASIDE_LD_AUDIT=evil\nCORACLE_ASIDE_CORACLE_ASIDE_LD_DEBUG=all'
    capture env LD_LIBRARY_PATH="$PWD/modules" "$CORACLE" config
    assert_success
}

@test "names: what is a file is one, and what is neither is told" {
    mkdir -p images && cp -a "$IMAGE" images/app
    capture "$CORACLE" run images/app -- cat /etc/image-release
    assert_output 'image name'
    capture "$CORACLE" run dir:images/app -- cat /etc/image-release
    assert_output 'image name'
    capture "$CORACLE" run docker://images/app -- true
    assert_refused usage 'names no registry'
    capture "$CORACLE" run images/none -- true
    assert_refused image-missing images/none
    capture "$CORACLE" run images/none:1 -- true
    assert_refused usage 'docker.io/images/none:1'
    capture "$CORACLE" run oci:none -- true
    assert_refused image-missing oci:none
    capture "$CORACLE" run oci:layout:large -- true
    assert_refused image-missing small
    capture "$CORACLE" run --pull=sometimes oci:layout -- true
    assert_refused usage never
    capture "$CORACLE" run --registry=http://x oci:layout -- true
    assert_refused usage registry
    # Not by looking, and not where it is forbidden.
    for arguments in 'explain' 'run --dry-run' 'run --json' 'run --pull=never'; do
        # shellcheck disable=SC2086
        capture "$CORACLE" $arguments oci:layout:small
        assert_refused image-missing "$PWD/cache"
    done
    assert_equal "$(find cache -type f -o -type l)" ''
    capture env -u HOME -u CORACLE_CACHE -u XDG_CACHE_HOME "$CORACLE" run oci:layout:small
    assert_refused config CORACLE_CACHE
    capture "$CORACLE" run --cache=here oci:layout:small
    assert_refused usage absolute
    capture env -u CORACLE_CACHE XDG_CACHE_HOME="$PWD/xdg" "$CORACLE" run oci:layout:small
    assert_output second
    [[ -d xdg/coracle/images ]]
}

# assert_refused IDENTIFIER TEXT: one error that has it.
assert_refused() {
    assert_status 125 || return
    assert_stderr_has "$2" || return
    [[ $stderr == 'coracle: error: '*"[$1]" && $stderr != *$'\n'* ]] || report "expected one error [$1]"
}

@test "a cache that others can change is not used, and says so" {
    mkdir -m 770 cache
    capture "$CORACLE" run oci:layout:small
    assert_refused config 'chmod go-w'
    capture "$CORACLE" images
    assert_refused config 'chmod go-w'
    chmod 700 cache
    capture "$CORACLE" run oci:layout:small
    assert_output second
    chmod 777 cache
    capture "$CORACLE" run oci:layout:small
    assert_refused config 'chmod go-w'
}

@test "images, inspect, rm" {
    local id CONFIG
    CONFIG=$(grep -l diff_ids layout/blobs/sha256/*)
    make_archive saved.tar
    capture "$CORACLE" images
    assert_output_has NAME
    "$CORACLE" run oci:layout:small
    "$CORACLE" run docker-archive:saved.tar
    capture "$CORACLE" images
    assert_output_has "oci:$PWD/layout:small"
    assert_output_has "docker-archive:$PWD/saved.tar"
    "$CORACLE" images --json >list
    id=$(jq -r '.images[0].id' list)
    assert_equal "$id $(jq -r '.names[].id' list | sort -u)" "sha256:$(sha256sum "$CONFIG" | cut -d ' ' -f 1) $id"
    assert_equal "$(jq -r '.names | length' list)" 2
    for name in oci:layout:small "$(jq -r '.names[0].path' list)"; do
        "$CORACLE" inspect "$name" >inspected
        assert_equal "$(jq -c .config inspected)" "$(jq -c . "$CONFIG")"
        assert_equal "$(jq .size inspected)" "$(jq '.images[0].size' list)"
    done
    assert_equal "$("$CORACLE" inspect oci:layout:small | jq -r .id)" "$id"
    # Where it is not in the cache: from where it comes.
    CORACLE_CACHE=$PWD/other "$CORACLE" inspect oci:layout:small >inspected
    assert_equal "$(jq -r '.id, (.layers | length), .config.config.Cmd[0]' inspected | paste -sd ' ')" "$id 2 cat"
    [[ ! -e other ]]

    capture "$CORACLE" rm nothing.org/there
    assert_refused image-missing 'coracle images'
    "$CORACLE" rm oci:layout:small
    assert_equal "$(made)" '1 1'
    "$CORACLE" rm "docker-archive:$PWD/saved.tar"
    assert_equal "$(made)" '0 0'
    "$CORACLE" run oci:layout:small
    "$CORACLE" run docker-archive:saved.tar
    "$CORACLE" rm "${id:7:12}"
    assert_equal "$(made)" '0 0'
    "$CORACLE" run oci:layout:small
    "$CORACLE" rm --all
    assert_equal "$(ls cache)" ''
    capture "$CORACLE" rm
    assert_refused usage rm
    capture "$CORACLE" images x
    assert_refused usage images
}

@test "rm --all: what else lies in the directory of the cache stays" {
    mkdir -p cache/images/scans cache/names cache/layers
    chmod 755 cache
    touch cache/images/scans/{one.dcm,app.sqfs} cache/names/list cache/layers/notes
    find cache -type f | sort >before
    "$CORACLE" run oci:layout:small
    assert_equal "$("$CORACLE" images --json | jq -c '[.names, .images | length]')" '[1,1]'
    "$CORACLE" rm --all
    assert_equal "$(find cache ! -type d | sort)" "$(<before)"
}

@test "whatever the umask, nobody else can change what is in the cache; an image that others could is not run" {
    mkdir -m 755 cache
    (umask 000 && "$CORACLE" run oci:layout:small -- sh -c 'umask' >umask)
    assert_equal "$(<umask)" 0000
    assert_equal "$(find cache -perm /022 ! -type l)" ''
    chmod g+w cache/images/sha256/*.sqfs
    capture "$CORACLE" run oci:layout:small
    assert_refused config 'chmod go-w'
    capture "$CORACLE" run --pull=always oci:layout:small
    assert_refused config 'chmod go-w'
}

@test "what the image's name in the cache cannot be: of another machine, or beside it" {
    capture "$CORACLE" pull --platform linux/riscv64 images.example.org/small
    assert_refused usage DESTINATION
    CORACLE_REGISTRY=../../up capture "$CORACLE" pull small
    assert_refused config CORACLE_REGISTRY
    [[ ! -e cache ]]
}

@test "a name that is cut is listed, and goes" {
    local long
    long=$(printf 'x%.0s' {1..200}).tar
    tar -cf "$long" -C "$IMAGE" .
    capture "$CORACLE" run "./$long" -- echo runs
    assert_output runs
    assert_equal "$("$CORACLE" images --json | jq -r '.names | length')" 1
    "$CORACLE" rm "./$long"
    assert_equal "$(made)" '0 0'
}

@test "inspect: the configuration of a directory; of an image of another system none" {
    mkdir -p "$IMAGE/.coracle" other/ch other/bin
    echo '{"os":"linux","config":{"Env":["A=b"]}}' >"$IMAGE/.coracle/config.json"
    assert_equal "$("$CORACLE" inspect "dir:$IMAGE" | jq -r '.config.config.Env[0]')" A=b
    echo A=b >other/ch/environment
    "$CORACLE" convert dir:other other.sqfs
    assert_equal "$("$CORACLE" inspect ./other.sqfs | jq -c '[.kind, .config]')" '["squashfs",null]'
}

@test "a variable in the cache's configuration that is not set: only what needs a cache fails" {
    unset CORACLE_CACHE
    printf '[images]\ncache = "$SCRATCH/c"\n' >c.toml
    chmod 600 c.toml
    export CORACLE_CONFIG=$PWD/c.toml
    capture "$CORACLE" run "$IMAGE" -- cat /etc/image-release
    assert_output 'image name'
    for command in 'convert oci:layout:small out.sqfs' 'inspect oci:layout:small' 'logout none.example.org'; do
        # shellcheck disable=SC2086
        capture "$CORACLE" $command
        [[ $stderr != *SCRATCH* ]] || report "$command"
    done
    [[ -s out.sqfs ]]
    capture "$CORACLE" config
    assert_output_has '$SCRATCH/c'
    for command in 'run oci:layout:small' 'explain oci:layout:small' images 'rm --all' 'pull none.example.org/small'; do
        # shellcheck disable=SC2086
        capture "$CORACLE" $command
        assert_refused config 'SCRATCH' || report "$command"
        assert_stderr_has c.toml:2
    done
    [[ ! -e $HOME/.cache ]]
    for setting in SCRATCH=$PWD CORACLE_CACHE=$PWD/other; do
        capture env "$setting" "$CORACLE" run oci:layout:small
        assert_output second
    done
    capture "$CORACLE" run --cache="$PWD/other" --pull=never oci:layout:small
    assert_output second
}

# packed: how the image in the cache is: compression and block size.
packed() { unsquashfs -stat "$(find cache/images -type f)" | awk '/^Compression/ { c = $2 } /^Block size/ { print c, $3 }'; }

@test "--compression and --block-size of a pull count for an image that is there too" {
    need unsquashfs
    plain_registry
    "$CORACLE" pull "$REGISTRY/small:1.0"
    assert_equal "$(packed)" 'zstd 131072'
    "$CORACLE" pull --compression gzip "$REGISTRY/small:1.0"
    assert_equal "$(packed)" 'gzip 131072'
    "$CORACLE" pull --block-size 64K "$REGISTRY/small:1.0"
    assert_equal "$(packed)" 'zstd 65536'
    assert_equal "$(made) $(find cache/layers -mindepth 1)" '1 1 '
    # What is configured is for what is not there.
    printf '[images]\ncompression = "gzip"\n' >>registry.toml
    "$CORACLE" pull "$REGISTRY/small:1.0"
    assert_equal "$(packed)" 'zstd 65536'
    "$CORACLE" rm --all
    "$CORACLE" pull "$REGISTRY/small:1.0"
    assert_equal "$(packed)" 'gzip 131072'
}

@test "a registry that is silent is given up after the time that is configured, which the error says" {
    local port begin
    need python3
    port=$((20000 + RANDOM % 10000))
    # The kernel takes connections that nobody serves.
    python3 -c 'import socket, sys, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(64); print("there", flush=True); time.sleep(60)' "$port" >silent 3>&- &
    REGISTRY_PROCESS=$!
    in_tenths 50 test -s silent
    printf '[images]\ntimeout = 1\n[registry."127.0.0.1:%s"]\nplain-http = true\n' "$port" >c.toml
    chmod 600 c.toml
    export CORACLE_CONFIG=$PWD/c.toml
    capture "$CORACLE" config
    assert_output_has images.timeout
    begin=$SECONDS
    capture "$CORACLE" run "127.0.0.1:$port/small"
    assert_refused registry 'after 3 attempts'
    assert_stderr_has 'for 1 seconds'
    capture "$CORACLE" pull --timeout 2 "127.0.0.1:$port/small"
    assert_refused registry 'for 2 seconds'
    ((SECONDS - begin < 30 * CORACLE_TEST_SLOWNESS)) || report "$((SECONDS - begin)) seconds"
    capture "$CORACLE" pull --timeout 0 "127.0.0.1:$port/small"
    assert_refused usage 3600
}

@test "one that is stopped while it fetches holds nobody, and leaves no layers when it goes on" {
    local stopped begin
    head -c 30000000 /dev/urandom >"$IMAGE/opt/random"
    rm -rf layout upper
    make_layout
    plain_registry
    "$CORACLE" run "$REGISTRY/small:1.0" >first 2>&1 3>&- &
    stopped=$!
    in_tenths 50 find_partial
    kill -STOP "$stopped"
    [[ -z $(find cache/images -type f) ]] || report 'expected to stop it before it was done'
    begin=$SECONDS
    capture "$CORACLE" run "$REGISTRY/small:1.0"
    assert_output second
    assert_stderr_has "process $stopped,"
    ((SECONDS - begin < 30 * CORACLE_TEST_SLOWNESS)) || report "$((SECONDS - begin)) seconds"
    kill -CONT "$stopped"
    wait "$stopped"
    assert_equal "$(tail -n 1 first)" second
    assert_equal "$(made) $(find cache/layers -mindepth 1)" '1 1 '
    # What a slower node has left, or one that was killed.
    mkdir "cache/layers/$("$CORACLE" images --json | jq -r '.images[0].id')"
    for part in cache/layers/*; do touch "$part/sha256:0.partial-x"; done
    "$CORACLE" run --pull=always "$REGISTRY/small:1.0"
    assert_equal "$(find cache/layers -mindepth 1)" ''
}

# damage SCRIPT...: does that to $image, the only one in the cache.
damage() {
    local image
    image=$(find cache/images -type f)
    "$@" "$image"
}

flip_superblock() { printf '\377\377' | dd of="$1" bs=1 seek=64 conv=notrunc status=none; }
flip_end() { printf '\125\252\125\252' | dd of="$1" bs=1 seek=$(($(od -An -t u8 -j 40 -N 8 "$1") - 40)) conv=notrunc status=none; }

@test "an image that was damaged in the cache: the way out is told, and --pull=always makes it anew" {
    plain_registry
    capture "$CORACLE" run "$REGISTRY/small:1.0"
    assert_output second
    for arguments in 'truncate -s 0' 'truncate -s -4096' 'truncate -s 50' flip_superblock flip_end; do
        # shellcheck disable=SC2086
        damage $arguments
        capture "$CORACLE" run "$REGISTRY/small:1.0"
        assert_status 125 || report "$arguments"
        assert_stderr_has "--pull=always, or coracle rm $REGISTRY/small:1.0" || report "$arguments"
        capture "$CORACLE" run --pull=always "$REGISTRY/small:1.0"
        assert_output second || report "$arguments"
        capture "$CORACLE" run "$REGISTRY/small:1.0"
        assert_output second || report "$arguments"
    done
    # What is longer than it says was not made here.
    damage truncate -s +8192
    "$CORACLE" pull "$REGISTRY/small:1.0"
    "$CORACLE" pull "$REGISTRY/small:1.0" out.sqfs
    damage cmp out.sqfs
    # Where nothing is damaged nothing is made.
    damage stat -c '%i %Y' >before
    "$CORACLE" run --pull=always "$REGISTRY/small:1.0"
    assert_equal "$(damage stat -c '%i %Y')" "$(<before)"
    assert_equal "$(made)" '1 1'
    # Another image under this one's name, whole.
    mkdir other && echo other >other/file
    "$CORACLE" convert dir:other other.sqfs
    damage cp other.sqfs
    capture "$CORACLE" run --pull=always "$REGISTRY/small:1.0"
    assert_output second
}

@test "killed at any moment: nothing that looks whole, and the next one makes it" {
    local hit=0 i
    for i in 0 1 2 3 4 5 6 7 8 9; do
        rm -rf cache
        "$CORACLE" run oci:layout:small >log 2>&1 3>&- &
        sleep "0.0$i"
        ! kill -9 $! 2>/dev/null || hit=$((hit + 1))
        wait $! 2>/dev/null || true
        capture "$CORACLE" run oci:layout:small
        assert_output second
        assert_equal "$(made)" '1 1'
        assert_equal "$(find cache -name '.*' ! -name .)" ''
    done
    [[ $hit -gt 0 ]] || report 'expected to hit some'
}

@test "from a registry: pull brings it into the cache, and run finds it by its name" {
    start_registry
    capture "$CORACLE" pull --plain-http "$REGISTRY/small:1.0"
    assert_success
    assert_equal "$output" "$(find "$PWD/cache/names" -name small:1.0)"
    cp "$output" first.sqfs
    convert oci:layout:small out.sqfs
    cmp out.sqfs first.sqfs
    assert_equal "$(find cache/layers -mindepth 1)" ''
    # Without the registry.
    registry_ends
    wait "$REGISTRY_PROCESS" || true
    for arguments in "$REGISTRY/small:1.0" "docker://$REGISTRY/small:1.0" "--registry=$REGISTRY small:1.0" \
        "--pull=never $REGISTRY/small:1.0"; do
        # shellcheck disable=SC2086
        capture "$CORACLE" run $arguments
        assert_output second
    done
    capture "$CORACLE" pull --plain-http "$REGISTRY/small:1.0"
    assert_refused registry "$REGISTRY"
    capture "$CORACLE" run "$REGISTRY/small:1.0"
    assert_output second
}

# plain_registry: the same, and the user's configuration says that it speaks no TLS.
plain_registry() {
    start_registry
    printf '[registry."%s"]\nplain-http = true\n' "$REGISTRY" >registry.toml
    chmod 600 registry.toml
    export CORACLE_CONFIG=$PWD/registry.toml
}

@test "run of a name: fetched once, by one of many launches at once, and what pull and run would give" {
    local i layer
    plain_registry
    layer=${LOWER##*/}
    crowd 64
    for ((i = 1; i <= CROWD; i++)); do "$CORACLE" run "$REGISTRY/small:1.0" >"out.$i" 2>&1 3>&- & done
    for i in $(jobs -p); do [[ $i == "$REGISTRY_PROCESS" ]] || wait "$i"; done
    assert_equal "$(cat out.* | sort | uniq -c | xargs)" "$CROWD second"
    assert_equal "$(made) $(find cache/layers -mindepth 1)" '1 1 '
    assert_equal "$(grep 'http.request.method=GET' registry.log | grep -c "blobs/sha256:$layer" || true)" 1
    "$CORACLE" pull "$REGISTRY/small:1.0" pulled.sqfs
    cmp pulled.sqfs "$(find cache/images -type f)"
}

# What the layout has becomes small:1.0 of the registry.
push() { skopeo copy --quiet --insecure-policy --dest-tls-verify=false oci:layout:small "docker://$REGISTRY/small:1.0"; }

@test "--pull: missing asks nobody for what is there, always takes what is newer, never fetches" {
    plain_registry
    capture "$CORACLE" run "$REGISTRY/small:1.0"
    assert_output second
    rm -rf layout upper
    echo third >"$IMAGE/opt/new"
    make_layout
    push
    capture "$CORACLE" run "$REGISTRY/small:1.0" -- ls /opt
    assert_output ''
    capture "$CORACLE" run --pull=always "$REGISTRY/small:1.0" -- ls /opt
    assert_output new
    assert_equal "$(made)" '2 1'
    capture "$CORACLE" run "$REGISTRY/small:1.0" -- ls /opt
    assert_output new
    capture env CORACLE_PULL=never "$CORACLE" run "$REGISTRY/small:2.0"
    assert_refused image-missing CORACLE_PULL
    capture "$CORACLE" run "$REGISTRY/small:2.0"
    assert_refused image-missing small:2.0
    # What lost its name is listed, and goes by its digest.
    "$CORACLE" images >list
    assert_equal "$(grep -c '^- ' list)" 1
    "$CORACLE" rm "$(awk '/^- / { print $2 }' list)"
    assert_equal "$(made)" '1 1'
}

@test "the configuration's registry, and its mirror, are where names are looked for" {
    plain_registry
    printf '[images]\ndefault-registry = "%s"\n' "$REGISTRY" >>registry.toml
    capture "$CORACLE" run small:1.0
    assert_output second
    "$CORACLE" rm --all
    printf '[images]\ndefault-registry = "images.example.org"\n[registry."images.example.org"]\nmirrors = ["%s"]\n[registry."%s"]\nplain-http = true\n' \
        "$REGISTRY" "$REGISTRY" >registry.toml
    capture "$CORACLE" run small:1.0
    assert_output second
    assert_equal "$("$CORACLE" images --json | jq -r '.names[].name')" images.example.org/small:1.0
}

@test "a pull into the cache that is killed: the next one goes on with what is there" {
    local hit=0 i
    head -c 30000000 /dev/urandom >"$IMAGE/opt/random"
    rm -rf layout upper
    make_layout
    plain_registry
    for i in 1 2 3 4 5 6; do
        "$CORACLE" run "$REGISTRY/small:1.0" >log 2>&1 3>&- &
        # Something of a layer is here.
        in_tenths 50 find_partial || true
        ! kill -9 $! 2>/dev/null || hit=$((hit + 1))
        wait $! 2>/dev/null || true
        [[ ! -e cache/names ]] || [[ -z $(find cache/names -type l) ]] || "$CORACLE" rm --all
    done
    [[ $hit -gt 0 ]] || report 'expected to hit some'
    capture "$CORACLE" run "$REGISTRY/small:1.0"
    assert_output second
    assert_equal "$(made) $(find cache/layers -mindepth 1)" '1 1 '
}

find_partial() { [[ -n $(find cache/layers -name '*sha256*' -size +1k 2>/dev/null) ]]; }

# abandoned DAYS DIGIT: what a pull of another image has fetched and left so many days ago.
abandoned() {
    local folder
    folder=cache/layers/sha256:$(printf '%064d' "$2")
    mkdir -m 0700 "$folder"
    echo part >"$folder/sha256:abc.partial"
    touch -d "-$1 days" "$folder"/* "$folder"
}

@test "what pulls have left and nobody goes on with is gone after a week" {
    mkdir -m 0700 cache cache/layers
    abandoned 8 1 && abandoned 6 2
    capture "$CORACLE" run oci:layout:small
    assert_output second
    assert_equal "$(find cache/layers -mindepth 1 -name '*1')" ''
    assert_equal "$(find cache/layers -name '*.partial' | grep -c 'sha256:0*2/')" 1
    touch -d "-8 days" cache/layers/*/* cache/layers/*
    capture "$CORACLE" rm "$("$CORACLE" images --json | jq -r '.images[].id')"
    assert_success
    assert_equal "$(find cache/layers -mindepth 1)" ''
}
