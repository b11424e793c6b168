#!/usr/bin/env bats
# Bad input gets one clear error, a documented status and nothing left behind: the image and the command.

load helpers
load refusals
load layouts

# --- the image -----------------------------------------------------------------

@test "image: missing" {
    refused 125 image-missing run "$BATS_TEST_TMPDIR/nowhere" true
    says "$BATS_TEST_TMPDIR/nowhere"
    says_one_of 'does not exist' 'no such'
}

@test "image: a name that ends in a file's name" {
    refused 125 image-missing run "$IMAGE/etc/hosts/below" true
    says "$IMAGE/etc/hosts/below"
}

@test "image: an empty name" {
    run --separate-stderr "$CORACLE" run '' true
    [[ $status -eq 125 && $stderr != *$'\n'* ]] || report "expected one error and 125"
}

@test "image: none given" {
    refused 125 usage run
    says_one_of image
}

@test "image: an empty directory" {
    mkdir "$BATS_TEST_TMPDIR/empty"
    refused 125 image-empty run "$BATS_TEST_TMPDIR/empty" true
    says "$BATS_TEST_TMPDIR/empty"
}

@test "image: an empty directory is one with every option too" {
    mkdir "$BATS_TEST_TMPDIR/empty"
    refused 125 image-empty run --no-default-binds "$BATS_TEST_TMPDIR/empty" true
    refused 125 image-empty run --writable-tmpfs "$BATS_TEST_TMPDIR/empty" true
    refused 125 image-empty run --root "$BATS_TEST_TMPDIR/empty" true
    is_squashfs || refused 125 image-empty run --write "$BATS_TEST_TMPDIR/empty" true
    [[ -z $(ls -A "$BATS_TEST_TMPDIR/empty") ]]
}

@test "image: an empty file" {
    : >"$BATS_TEST_TMPDIR/file"
    refused 125 image-unknown run "$BATS_TEST_TMPDIR/file" true
    says "$BATS_TEST_TMPDIR/file"
    says_one_of empty
}

@test "image: a file of text" {
    echo text >"$BATS_TEST_TMPDIR/file"
    refused 125 image-unknown run "$BATS_TEST_TMPDIR/file" true
    says "$BATS_TEST_TMPDIR/file"
    says_one_of directory
}

@test "image: a file that begins like a SquashFS and is none" {
    { printf hsqs; head -c 4092 /dev/zero; } >"$BATS_TEST_TMPDIR/file"
    refused 125 image-unknown run "$BATS_TEST_TMPDIR/file" true
    says "$BATS_TEST_TMPDIR/file" SquashFS
}

@test "image: a tar file that is cut off, and one of another kind" {
    need_coracle_image
    export CORACLE_CACHE=$BATS_TEST_TMPDIR/cache
    mkdir -p -m 700 cache/{images/file,layers}
    tar -C "$IMAGE" -cf "$BATS_TEST_TMPDIR/whole.tar" etc bin
    head -c 20000 "$BATS_TEST_TMPDIR/whole.tar" >"$BATS_TEST_TMPDIR/image.tar"
    refused 125 layer run "$BATS_TEST_TMPDIR/image.tar" true
    says "$BATS_TEST_TMPDIR/image.tar"
    says_one_of tar archive
    gzip <"$PAYLOAD" >"$BATS_TEST_TMPDIR/image.gz"
    refused 125 layer run "$BATS_TEST_TMPDIR/image.gz" true
    says "$BATS_TEST_TMPDIR/image.gz"
}

@test "image: a SIF file" {
    { printf '#!/usr/bin/env run-singularity\n\0SIF_MAGIC\0'; head -c 4096 /dev/zero; } >"$BATS_TEST_TMPDIR/image.sif"
    refused 125 image-unknown run "$BATS_TEST_TMPDIR/image.sif" true
    says "$BATS_TEST_TMPDIR/image.sif" SIF
}

@test "image: a FIFO, a device and a socket are refused without waiting" {
    mkfifo "$BATS_TEST_TMPDIR/fifo"
    refused 125 image-unknown run "$BATS_TEST_TMPDIR/fifo" true
    says "$BATS_TEST_TMPDIR/fifo"
    refused 125 image-unknown run /dev/zero true
}

@test "image: a directory that cannot be searched" {
    skip_as_root "reads everything"
    directory_only 'one that cannot be read is tested below'
    chmod 0 "$IMAGE"
    run --separate-stderr "$CORACLE" run "$IMAGE" true
    chmod 755 "$IMAGE"
    assert_one_error 125 image-unreadable
    says "$IMAGE"
    says_one_of permission
}

@test "image: below a directory that cannot be searched" {
    skip_as_root "reads everything"
    mkdir "$BATS_TEST_TMPDIR/closed"
    cp -a "$(image_file)" "$BATS_TEST_TMPDIR/closed/image"
    chmod 0 "$BATS_TEST_TMPDIR/closed"
    run --separate-stderr "$CORACLE" run "$BATS_TEST_TMPDIR/closed/image" true
    chmod 755 "$BATS_TEST_TMPDIR/closed"
    assert_one_error 125 image-unreadable
    says "$BATS_TEST_TMPDIR/closed/image"
    says_one_of permission
}

@test "image: a file that cannot be read" {
    skip_as_root "reads everything"
    echo text >"$BATS_TEST_TMPDIR/file"
    chmod 0 "$BATS_TEST_TMPDIR/file"
    refused 125 image-unreadable run "$BATS_TEST_TMPDIR/file" true
    says "$BATS_TEST_TMPDIR/file"
    says_one_of permission
}

@test "image: a loop of symlinks" {
    ln -s two "$BATS_TEST_TMPDIR/one"
    ln -s one "$BATS_TEST_TMPDIR/two"
    refused 125 image-unreadable run "$BATS_TEST_TMPDIR/one" true
    says "$BATS_TEST_TMPDIR/one"
    says_one_of 'symbolic link' symlink loop
}

@test "image: a dangling symlink" {
    ln -s nowhere "$BATS_TEST_TMPDIR/dangling"
    refused 125 image-missing run "$BATS_TEST_TMPDIR/dangling" true
    says "$BATS_TEST_TMPDIR/dangling"
}

@test "image: a name longer than the kernel takes" {
    local name
    printf -v name '%05000d' 0
    run --separate-stderr "$CORACLE" run "/$name" true
    [[ $status -eq 125 && $stderr == 'coracle: error: '*']' && $stderr != *$'\n'* ]] ||
        report "expected one error and 125"
}

@test "image: control characters in its name do not reach the terminal" {
    refused 125 image-missing run "$BATS_TEST_TMPDIR/"$'a\e[31mb\nc\r' true
    [[ $stderr != *$'\e'* && $stderr != *$'\r'* ]] || report "expected no control character"
}

# --- the command ----------------------------------------------------------------

@test "command: not found, 127" {
    refused 127 not-found run "$IMAGE" no-such-command
    says no-such-command
    says_one_of PATH
}

@test "command: a path that does not exist, 127" {
    refused 127 not-found run "$IMAGE" /opt/no-such-command
    says /opt/no-such-command
}

@test "command: an option behind the image, 127 and where options go" {
    local word
    for word in --bind -b --bind=/tmp:/mnt -w/etc; do
        refused 127 not-found run "$IMAGE" "$word" /tmp -- true
        says "$word" 'options go before the image' || return
    done
    refused 127 not-found run "$IMAGE" -
    assert_stderr_lacks options
}

@test "command: one that begins like an option and is there" {
    mkdir "$IMAGE/-d"
    cp "$IMAGE/bin/payload" "$IMAGE/bin/-x"
    cp "$IMAGE/bin/payload" "$IMAGE/-d/x"
    coracle_run -- -x args 1
    assert_output '[1]'
    coracle_run --workdir / -- -d/x args 2
    assert_output '[2]'
}

@test "command: an empty name" {
    refused 127 not-found run "$IMAGE" ''
}

@test "command: none given and none in the image, 127 with both ways out" {
    refused 127 no-command run "$IMAGE"
    says "$IMAGE"
    says_one_of 'give a command' 'coracle run' 'after the image'
    says_one_of 'coracle shell'
}

@test "command: a file that is not executable, 126" {
    echo 'echo hello' >"$IMAGE/opt/plain"
    refused 126 not-executable run "$IMAGE" /opt/plain
    says /opt/plain
    says_one_of chmod 'execute permission' 'not executable' 'not marked executable'
}

@test "command: not executable in PATH, 126" {
    echo 'echo hello' >"$IMAGE/bin/plain"
    refused 126 not-executable run --env PATH=/bin "$IMAGE" plain
    says plain
}

@test "command: a directory, 126" {
    refused 126 not-executable run "$IMAGE" /opt/data
    says /opt/data
    says_one_of directory
}

@test "command: a FIFO, 126 without waiting" {
    mkfifo -m 777 "$IMAGE/opt/fifo"
    refused 126 not-executable run "$IMAGE" /opt/fifo
    says /opt/fifo
}

@test "command: an empty file, 126" {
    : >"$IMAGE/opt/empty"
    chmod 755 "$IMAGE/opt/empty"
    refused 126 not-executable run "$IMAGE" /opt/empty
    says /opt/empty
}

@test "command: in a directory that cannot be searched" {
    skip_as_root "searches everything"
    mkdir "$IMAGE/opt/closed"
    cp "$IMAGE/bin/payload" "$IMAGE/opt/closed/payload"
    chmod 0 "$IMAGE/opt/closed"
    run --separate-stderr "$CORACLE" run "$IMAGE" /opt/closed/payload exit 0
    chmod 755 "$IMAGE/opt/closed"
    assert_one_error 126 not-executable
    says /opt/closed/payload
}

@test "command: a loop of symlinks" {
    ln -s loop "$IMAGE/opt/loop"
    refused 126 not-executable run "$IMAGE" /opt/loop
    says /opt/loop 'symbolic links'
    refused 126 not-executable run "$IMAGE" /opt/loop/command
    says /opt/loop/command 'symbolic links'
    refused 126 not-executable run --env PATH=/opt:/bin "$IMAGE" loop
    says /opt/loop 'symbolic links'
    ln -s nowhere "$IMAGE/opt/dangling"
    refused 127 not-found run "$IMAGE" /opt/dangling
    refused 127 not-found run "$IMAGE" /opt/data/file/below
}

@test "command: a relative name, where the current directory is not shown" {
    mkdir -p "$BATS_TEST_TMPDIR/work/down"
    cd "$BATS_TEST_TMPDIR/work"
    refused 127 not-found run --no-default-binds --no-home "$IMAGE" ./tool
    says ./tool "$PWD" 'would start in /' --bind
    # It is there: the command is not.
    refused 127 not-found run "$IMAGE" ./tool
    assert_stderr_lacks 'would start'
    # It is there by its other name.
    ln -s "$PWD/down" "$BATS_TEST_TMPDIR/by-link"
    cd "$BATS_TEST_TMPDIR/by-link"
    refused 127 not-found run --no-default-binds --no-home --bind "$(pwd -P)" "$IMAGE" ./tool
    assert_stderr_lacks 'would start'
    # There was none outside: nothing was lost.
    mkdir "$IMAGE/.coracle" "$BATS_TEST_TMPDIR/gone"
    printf '{"config":{"WorkingDir":"/nowhere"}}' >"$IMAGE/.coracle/config.json"
    cd "$BATS_TEST_TMPDIR/gone"
    rmdir "$BATS_TEST_TMPDIR/gone"
    run --separate-stderr "$CORACLE" run "$IMAGE" ./tool
    assert_one_error 127 not-found
    assert_stderr_lacks 'would start'
}

@test "command: a name of 2000 bytes leaves room for cause and advice" {
    local long
    printf -v long 'begin%01990dend' 0
    refused 127 not-found run "$IMAGE" "$long"
    says begin000 '000...000' 000end 'PATH is'
    refused 126 not-executable run "$IMAGE" "/$long"
    says '/begin000' '000...000' 'file name too long'
    printf -v long '/%0250d' 0
    refused 127 not-found run --workdir / "$IMAGE" "$long$long$long"
    says 'no such file'
    coracle_explain -- "$long$long$long"
    assert_output_has "$long$long$long"
}

# little-endian ELF64 header of a static program for MACHINE (two octal bytes).
elf_header() {
    printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0%b\1\0\0\0' "$1"
    printf '\0\0\100\0\0\0\0\0\100\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\070\0\1\0\100\0\0\0\0\0'
    printf '\1\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\0\0\0\0\0\0\100\0\0\0\0\0'
    printf '\170\0\0\0\0\0\0\0\170\0\0\0\0\0\0\0\0\20\0\0\0\0\0\0'
}

# make_foreign FILE: a program for a machine that is not this one: FOREIGN; sets OWN too.
make_foreign() {
    local machine='\0267\0'
    FOREIGN=aarch64 OWN=x86_64
    if [[ $(uname -m) == aarch64 ]]; then machine='\076\0' FOREIGN=x86_64 OWN=aarch64; fi
    elf_header "$machine" >"$1"
    chmod 755 "$1"
}

@test "command: for another architecture, 126 and both are named" {
    make_foreign "$IMAGE/opt/foreign"
    refused 126 not-executable run "$IMAGE" /opt/foreign
    says "/opt/foreign is a program for $FOREIGN, and this node is $OWN" 'coracle pull --platform linux/'
    # Of another byte order: what stands for s390x.
    { printf '\177ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\2\0\026\0\0\0\1' && head -c 100 /dev/zero; } >"$IMAGE/opt/foreign"
    refused 126 not-executable run "$IMAGE" /opt/foreign
    says "/opt/foreign is a program for s390x, and"
}

@test "command: what needs a program for another architecture, which is named" {
    make_foreign "$IMAGE/opt/foreign"
    echo '#!/opt/foreign -x' >"$IMAGE/opt/script"
    rm -f "$IMAGE"/bin/{ash,sh} # the shells that are looked for
    cp "$IMAGE/opt/foreign" "$IMAGE/bin/sh"
    echo 'echo hello' >"$IMAGE/opt/plain"
    chmod 755 "$IMAGE"/opt/{script,plain}
    refused 126 not-executable run "$IMAGE" /opt/script
    says "/opt/script is a script for /opt/foreign, a program for $FOREIGN, and this node is $OWN"
    refused 126 not-executable run "$IMAGE" /opt/plain
    says "/opt/plain is a script for /bin/sh, a program for $FOREIGN, and this node is $OWN"
    refused 126 not-executable shell "$IMAGE"
    says "/bin/sh is a program for $FOREIGN"
}

@test "command: a program whose interpreter is one for another architecture" {
    need readelf
    local interpreter
    interpreter=$(dynamic_program "$IMAGE/opt/dynamic")
    [[ -n $interpreter ]] || skip "needs a dynamically linked program"
    mkdir -p "$IMAGE$(dirname "$interpreter")"
    make_foreign "$IMAGE$interpreter"
    refused 126 not-executable run "$IMAGE" /opt/dynamic
    says "/opt/dynamic: its interpreter $interpreter is a program for $FOREIGN, and this node is $OWN"
}

# emulated EMULATOR FLAG COMMAND...: where the kernel gives FOREIGN's programs to the program EMULATOR.
emulated() {
    local -a machine
    read -r -a machine < <(od -An -tu1 -j 18 -N 2 "$IMAGE/opt/foreign")
    # shellcheck disable=SC2016
    unshare -Urm sh -c '
        mount -t binfmt_misc none /proc/sys/fs/binfmt_misc &&
            printf ":foreign:M:18:\\x%02x\\x%02x::%s:%s" "$1" "$2" "$3" "$4" >/proc/sys/fs/binfmt_misc/register &&
            shift 4 && exec "$@"' - "${machine[@]}" "$@"
}

@test "command: for another architecture, which the host has an emulator for" {
    make_foreign "$IMAGE/opt/foreign"
    unshare -Urm mount -t binfmt_misc none /proc/sys/fs/binfmt_misc ||
        skip 'users can register no emulator: Linux before 6.7, or a container'
    cp "$(realpath "$IMAGE/bin/busybox")" emulator
    capture emulated "$PWD/emulator" F "$CORACLE" run "$IMAGE" /opt/foreign
    [[ $stderr == 'emulator: applet not found' ]] || report "expected the emulator's own error"
    capture emulated /no/emulator '' "$CORACLE" run "$IMAGE" /opt/foreign
    assert_one_error 126 not-executable
    says "/opt/foreign is a program for $FOREIGN" 'the emulator'
}

# dynamic_program FILE: a program that wants an ELF interpreter; prints which.
dynamic_program() {
    local name
    name=$(command -v true)
    [[ -x $name ]] || name=/bin/true
    cp "$name" "$1"
    readelf -l "$1" | sed -n 's/.*interpreter: \(.*\)\]/\1/p'
}

@test "command: its ELF interpreter is missing, and is named" {
    need readelf
    local interpreter
    interpreter=$(dynamic_program "$IMAGE/opt/dynamic")
    [[ -n $interpreter ]] || skip "needs a dynamically linked program"
    run --separate-stderr "$CORACLE" run "$IMAGE" /opt/dynamic
    [[ $status -eq 126 || $status -eq 127 ]] || report "expected 126 or 127"
    assert_one_error "$status" "$([[ $status -eq 126 ]] && echo not-executable || echo not-found)"
    says /opt/dynamic "$interpreter"
}

# script_fails FIRST-LINE TEXT...: such a script cannot be started, and why.
script_fails() {
    printf '%b\necho hello\n' "$1" >"$IMAGE/opt/script"
    chmod 755 "$IMAGE/opt/script"
    run --separate-stderr timeout 20 "$CORACLE" run "$IMAGE" /opt/script
    [[ $status -eq 126 || $status -eq 127 ]] || report "expected 126 or 127" || return
    assert_one_error "$status" "$([[ $status -eq 126 ]] && echo not-executable || echo not-found)" || return
    says /opt/script "${@:2}"
}

@test "command: a script's interpreter is missing, and is named" {
    script_fails '#!/opt/no/such/interpreter -x' /opt/no/such/interpreter
    [[ $stderr != *'interpreter -x'* ]] || report "expected the interpreter without its argument"
}

@test "command: a script's interpreter is missing, with a blank before it" {
    script_fails '#! \t/opt/no/interpreter' /opt/no/interpreter
}

@test "command: a script with CR line ends" {
    script_fails '#!/bin/sh\r'
    says_one_of 'CR' 'carriage return' 'DOS' 'Windows' '\r' '\x0d'
    says /bin/sh
}

@test "command: a script's interpreter is not executable" {
    echo plain >"$IMAGE/opt/plain"
    script_fails '#!/opt/plain' /opt/plain
}

@test "command: a script's interpreter lacks its own ELF interpreter" {
    need readelf
    [[ -n $(dynamic_program "$IMAGE/opt/dynamic") ]] || skip "needs a dynamically linked program"
    script_fails '#!/opt/dynamic' /opt/dynamic
}

@test "command: a script that is its own interpreter" {
    script_fails '#!/opt/script'
}

@test "command: executables that are made to mislead" {
    local length
    for length in 1 2 3 4 5 16 20 40 63 64 65 100 119; do
        elf_header '\076\0' | head -c "$length" >"$IMAGE/opt/part-$length"
    done
    # Program headers beyond the end, too many of them, of no size, an interpreter without an end.
    { elf_header '\076\0' | head -c 32; printf '\377\377\377\377\377\377\377\177'; head -c 80 /dev/zero; } >"$IMAGE/opt/part-far"
    { elf_header '\076\0' | head -c 54; printf '\0\0\377\377'; head -c 80 /dev/zero; } >"$IMAGE/opt/part-many"
    { elf_header '\076\0' | head -c 64; printf '\3\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0'
        head -c 16 /dev/zero; printf '\377\377\377\377\377\377\377\377'; head -c 32 /dev/zero; } >"$IMAGE/opt/part-interpreter"
    { printf '#!'; head -c 100000 /dev/zero | tr '\0' a; } >"$IMAGE/opt/part-line"
    printf '#!' >"$IMAGE/opt/part-mark"
    printf '#!\n' >"$IMAGE/opt/part-nothing"
    printf '#!   \n' >"$IMAGE/opt/part-blanks"
    { printf '#!/x\0y\n'; } >"$IMAGE/opt/part-zero"
    local file
    for file in "$IMAGE"/opt/part-*; do
        chmod 755 "$file"
        run --separate-stderr timeout -k 1 20 "$CORACLE" run "$IMAGE" "/opt/${file##*/}"
        [[ $status -eq 126 || $status -eq 127 ]] || report "${file##*/}: expected 126 or 127" || return
        [[ $stderr == 'coracle: error: '*"${file##*/}"*']' && $stderr != *$'\n'* ]] ||
            report "${file##*/}: expected one error that names it" || return
    done
}

@test "command: on a noexec file system, 126" {
    directory_only 'it is read, and not executed, on the file system where it lies'
    # shellcheck disable=SC2016
    on_host 'mkdir on; mount -t tmpfs -o noexec none on; cp -a "$1" on/image
        "$2" run on/image /bin/true' "$IMAGE" "$CORACLE"
    assert_one_error 126 not-executable
    says /bin/true noexec
}

@test "command: in a bind with noexec, 126" {
    mkdir "$BATS_TEST_TMPDIR/programs"
    cp "$PAYLOAD" "$BATS_TEST_TMPDIR/programs/program"
    refused 126 not-executable run --bind "$BATS_TEST_TMPDIR/programs:/mnt:noexec" "$IMAGE" /mnt/program exit 0
    says /mnt/program noexec
}

@test "command: too many arguments" {
    local long
    printf -v long '%0130000d' 0
    printf '%s=%s\n' LONG "$long" >"$BATS_TEST_TMPDIR/env"
    # One string of 128 KiB or more is what the kernel refuses (E2BIG).
    printf 'LONG=%s\n' "$long$long" >"$BATS_TEST_TMPDIR/env"
    run --separate-stderr "$CORACLE" run --env-file "$BATS_TEST_TMPDIR/env" "$IMAGE" true
    [[ $status -ge 125 && $status -le 126 && $stderr == 'coracle: error: '*']' && $stderr != *$'\n'* ]] ||
        report "expected one error"
}

