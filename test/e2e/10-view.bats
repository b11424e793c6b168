#!/usr/bin/env bats
# What a command sees without any option.

# Scripts for shells further in stand in single quotes; each test is a subshell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers

# --- the image and the kernel's file systems -------------------------------

@test "the image is the root, and it is read-only" {
    inside 'cat /etc/image-release; echo x >/etc/new'
    assert_status 1
    assert_output_has 'image name'
    assert_stderr_has 'Read-only file system'
}

@test "/proc is the host's: the test's own process is seen" {
    inside 'tr "\0" " " </proc/$1/cmdline' $$
    assert_success
    assert_equal "$output" "$(tr '\0' ' ' </proc/$$/cmdline)"
}

@test "/sys is the host's" {
    inside 'ls /sys/devices/system/cpu'
    assert_output "$(ls /sys/devices/system/cpu)"
}

@test "/dev is the host's, with all its nodes and /dev/shm" {
    local shared
    shared=$(mktemp /dev/shm/coracle-e2e.XXXXXX)
    inside 'echo lost >/dev/null && head -c 3 /dev/zero | wc -c && echo seen >$1 &&
        ls -1a /dev' "$shared"
    local got
    got=$(cat "$shared")
    rm "$shared"
    assert_equal "$got" seen
    assert_output "3
$("$BASE_IMAGE/bin/busybox" ls -1a /dev)"
}

@test "/proc, /sys and /dev appear in an image that lacks them" {
    rmdir "$IMAGE"/{proc,sys,dev,tmp}
    inside 'test -e /proc/self/stat && test -d /sys/kernel && test -c /dev/null &&
        test -d "$1" && echo all' "$BATS_TEST_TMPDIR"
    assert_output all
}

# --- /tmp, home, working directory -----------------------------------------

@test "/tmp is the host's, writable" {
    on_host '
        file=$(mktemp /tmp/coracle-e2e.XXXXXX)
        echo from the host >"$file"
        "$CORACLE" run "$IMAGE" -- sh -c "cat $file; echo from the image >$file"
        cat "$file"
        rm "$file"'
    assert_output 'from the host
from the image'
}

@test "the home directory is there at its own path, writable, deep ones too" {
    on_host '
        mount -t tmpfs none /mnt
        mkdir -p /mnt/dept/group/zoe
        export HOME=/mnt/dept/group/zoe
        echo mine >$HOME/file
        as 1000 "$CORACLE" run "$IMAGE" -- sh -c "cat ~/file; echo new >~/new"
        cat $HOME/new'
    assert_output 'mine
new'
}

@test "a home directory that is a symlink on the host is there at its own path" {
    on_host '
        mount -t tmpfs none /mnt
        mkdir -p /mnt/disk/zoe
        ln -s /mnt/disk/zoe /mnt/zoe
        echo mine >/mnt/zoe/file
        HOME=/mnt/zoe as 1000 "$CORACLE" run "$IMAGE" -- sh -c "cat /mnt/zoe/file; echo \$HOME"'
    assert_output 'mine
/mnt/zoe'
}

@test "without HOME, the home directory is that of the passwd entry" {
    make_host_etc
    on_host '
        mount --bind "$HOST_ETC" /etc
        mount -t tmpfs none /mnt
        mkdir /mnt/zoe
        echo mine >/mnt/zoe/file
        unset HOME
        as 4242 "$CORACLE" run "$IMAGE" -- cat /mnt/zoe/file'
    assert_output mine
}

@test "other homes beside one's own are not shown" {
    on_host '
        mount -t tmpfs none /mnt
        mkdir -p /mnt/zoe /mnt/yan
        HOME=/mnt/zoe as 1000 "$CORACLE" run "$IMAGE" -- ls /mnt'
    assert_output zoe
}

@test "a command starts in the current directory when it is shown" {
    mkdir -p "$BATS_TEST_TMPDIR/deep/er"
    cd "$BATS_TEST_TMPDIR/deep/er"
    touch here
    inside 'pwd; ls'
    assert_output "$BATS_TEST_TMPDIR/deep/er
here"
}

@test "a command starts in the image's directory of the current directory's name" {
    cd /etc
    inside 'pwd; cat image-release'
    assert_output '/etc
image name'
}

@test "a command starts in / when the current directory is not inside" {
    on_host '
        mount -t tmpfs none /mnt
        mkdir /mnt/elsewhere
        cd /mnt/elsewhere
        "$CORACLE" run "$IMAGE" -- pwd'
    assert_output /
    assert_equal "$stderr" ''
}

@test "a current directory below --bind is where a command starts" {
    on_host '
        mount -t tmpfs none /mnt
        mkdir -p /mnt/data/run1
        cd /mnt/data/run1
        "$CORACLE" run --bind /mnt/data "$IMAGE" -- pwd'
    assert_output /mnt/data/run1
}

# --- hosts and resolv.conf -------------------------------------------------

# with_host_etc [EDIT]: what a command reads from the two names, on a host
# whose /etc is ours, changed by EDIT.
with_host_etc() {
    make_host_etc
    on_host 'cd "$HOST_ETC"
        '"${1:-}"'
        mount --bind "$HOST_ETC" /etc
        cd /
        as 4242 "$CORACLE" run "$IMAGE" -- \
            sh -c "cat /etc/hosts /etc/resolv.conf; cat /etc/image-release"'
}

readonly BOTH='host hosts
host resolver
image name'

# names_are_links TARGET: both names are links to TARGET in the image.
names_are_links() {
    local name
    for name in hosts resolv.conf; do
        rm -f "$IMAGE/etc/$name"
        ln -s "$1" "$IMAGE/etc/$name"
    done
}

# assert_beside TARGET: the image still has its links, and nothing new.
assert_beside() {
    assert_output "$BOTH"
    assert_equal "$stderr" ''
    assert_equal "$(readlink "$IMAGE/etc/hosts")" "$1"
    [[ ! -e $IMAGE/run ]] || report 'the image has got a /run'
}

@test "hosts and resolv.conf replace regular files of the image" {
    with_host_etc
    assert_output "$BOTH"
    assert_equal "$(cat "$IMAGE/etc/hosts")" 'image hosts'
}

@test "hosts and resolv.conf replace a relative link in the image" {
    echo behind >"$IMAGE/opt/data/stub"
    names_are_links ../opt/data/stub
    with_host_etc
    assert_beside ../opt/data/stub
    inside 'cat /opt/data/stub'
    assert_output behind
}

@test "hosts and resolv.conf replace an absolute link in the image" {
    echo behind >"$IMAGE/opt/data/stub"
    names_are_links /opt/data/stub
    with_host_etc
    assert_beside /opt/data/stub
    inside 'cat /opt/data/stub'
    assert_output behind
}

@test "hosts and resolv.conf replace a dangling link in the image" {
    names_are_links /run/systemd/resolve/stub-resolv.conf
    with_host_etc
    assert_beside /run/systemd/resolve/stub-resolv.conf
    names_are_links ../run/stub
    rm -r "$HOST_ETC"
    with_host_etc
    assert_beside ../run/stub
}

@test "hosts and resolv.conf replace a link to itself in the image" {
    rm "$IMAGE"/etc/{hosts,resolv.conf}
    ln -s hosts "$IMAGE/etc/hosts"
    ln -s resolv.conf "$IMAGE/etc/resolv.conf"
    with_host_etc
    assert_beside hosts
}

@test "hosts and resolv.conf are there where the image lacks the names" {
    rm "$IMAGE"/etc/{hosts,resolv.conf}
    with_host_etc
    assert_output "$BOTH"
    [[ ! -e $IMAGE/etc/hosts ]]
}

@test "hosts and resolv.conf are there where the image lacks /etc" {
    rm -r "${IMAGE:?}/etc"
    with_host_etc
    assert_status 1 # of the last cat: there is no image-release
    assert_equal "$output" 'host hosts
host resolver'
}

@test "hosts and resolv.conf appear in an /etc of more than 64 names" {
    rm "$IMAGE"/etc/{hosts,resolv.conf}
    touch "$IMAGE"/etc/name-{1..200}
    with_host_etc
    assert_output "$BOTH"
    inside 'ls /etc | grep -c name-'
    assert_output 200
}

@test "hosts and resolv.conf may be links on the host" {
    with_host_etc 'mkdir elsewhere; mv hosts resolv.conf elsewhere
        ln -s elsewhere/hosts hosts; ln -s ../etc/elsewhere/resolv.conf resolv.conf'
    assert_output "$BOTH"
}

@test "hosts and resolv.conf are silently left out where the host has none" {
    with_host_etc 'rm hosts; ln -sf /nowhere/at-all resolv.conf'
    assert_output 'image hosts
image resolver
image name'
    assert_equal "$stderr" ''
}

@test "an image /etc that is a link gets the host's files where the link leads" {
    mv "$IMAGE/etc" "$IMAGE/opt/etc"
    ln -s /opt/etc "$IMAGE/etc"
    with_host_etc
    assert_output "$BOTH"
    assert_equal "$(cat "$IMAGE/opt/etc/hosts")" 'image hosts'
}

# --- time zone -------------------------------------------------------------

# zone_seen [TZ]: the zone that date prints inside, on a host in zone HST+5.
zone_seen() {
    make_host_etc
    time_zone_file HST 5 >"$HOST_ETC/localtime"
    on_host 'mount --bind "$HOST_ETC" /etc
        as 4242 "$CORACLE" run "$IMAGE" -- date "+%Z %z"'
}

@test "the time zone is the host's" {
    zone_seen
    assert_output 'HST +0500'
}

@test "the host's time zone does not change what UTC means in the image" {
    time_zone_file UTC 0 >"$IMAGE/usr/share/zoneinfo/UTC"
    ln -s ../usr/share/zoneinfo/UTC "$IMAGE/etc/localtime"
    zone_seen
    assert_output 'HST +0500'
    on_host 'mount --bind "$HOST_ETC" /etc
        TZ=UTC as 4242 "$CORACLE" run "$IMAGE" -- date "+%Z %z"
        as 4242 "$CORACLE" run "$IMAGE" -- sha256sum /usr/share/zoneinfo/UTC'
    assert_output "UTC +0000
$(sha256sum <"$IMAGE/usr/share/zoneinfo/UTC" | cut -d' ' -f1)  /usr/share/zoneinfo/UTC"
}

@test "a dangling /etc/localtime in the image still gives the host's time zone" {
    ln -s /usr/share/zoneinfo/Nowhere "$IMAGE/etc/localtime"
    zone_seen
    assert_output 'HST +0500'
}

@test "TZ decides, as without a container" {
    export TZ=XST-3
    zone_seen
    assert_output 'XST +0300'
}

@test "a host without /etc/localtime leaves the image's" {
    time_zone_file IST 2 >"$IMAGE/etc/localtime"
    make_host_etc
    on_host 'mount --bind "$HOST_ETC" /etc
        as 4242 "$CORACLE" run "$IMAGE" -- date "+%Z %z"'
    assert_output 'IST +0200'
    assert_equal "$stderr" ''
}

# --- passwd and group ------------------------------------------------------

@test "a user whom the image does not know has name, home and shell inside" {
    make_host_etc
    on_host 'mount --bind "$HOST_ETC" /etc
        as 4242 "$CORACLE" run "$IMAGE" -- sh -c "id -un; id -gn; grep ^zoe: /etc/passwd"'
    assert_output 'zoe
zoegroup
zoe:x:4242:4242:Zoe:/mnt/zoe:/bin/ash'
}

@test "root has a name inside, too" {
    inside 'grep -c ^root:x:0:0: /etc/passwd; grep -c ^root:x:0: /etc/group'
    assert_output '1
1'
}

@test "a user without any name can still be looked up" {
    make_host_etc
    on_host 'mount --bind "$HOST_ETC" /etc
        as 987654 "$CORACLE" run "$IMAGE" -- \
            sh -c "id -gn >/dev/null && id -un && cut -d: -f3,4 /etc/passwd"'
    assert_success
    [[ -n ${lines[0]} && ${lines[0]} != 987654 ]] || report 'expected a name'
    assert_output_has '987654:987654'
}

@test "passwd and group replace whatever names stand in the image" {
    local name
    for name in passwd group; do
        rm "$IMAGE/etc/$name"
        ln -s /nowhere/"$name" "$IMAGE/etc/$name"
    done
    make_host_etc
    on_host 'mount --bind "$HOST_ETC" /etc
        as 4242 "$CORACLE" run "$IMAGE" -- sh -c "id -un; id -gn"'
    assert_output 'zoe
zoegroup'
}

@test "a user whom only a name service knows has an entry inside" {
    need gcc
    local module
    module=$(echo /lib/*/libnss_hesiod.so.2 /usr/lib64/libnss_hesiod.so.2 | cut -d' ' -f1)
    [[ -e $module ]] || skip 'no libnss_hesiod.so.2 whose place a module of ours could take'
    printf '%s\n' '#include <nss.h>' '#include <pwd.h>' '#include <grp.h>' \
        'enum nss_status _nss_hesiod_getpwuid_r(uid_t u, struct passwd *p, char *b, size_t n, int *e)' \
        '{ (void)b; (void)n; (void)e; if (u != 5151) return NSS_STATUS_NOTFOUND;' \
        '  *p = (struct passwd){"ldapuser", "x", 5151, 5151, "L", "/mnt/l", "/bin/sh"};' \
        '  return NSS_STATUS_SUCCESS; }' \
        'enum nss_status _nss_hesiod_getgrgid_r(gid_t g, struct group *p, char *b, size_t n, int *e)' \
        '{ static char *none[] = {0}; (void)b; (void)n; (void)e; if (g != 5151) return NSS_STATUS_NOTFOUND;' \
        '  *p = (struct group){"ldapgroup", "x", 5151, none}; return NSS_STATUS_SUCCESS; }' \
        >nss.c
    gcc -shared -fPIC -o nss.so nss.c
    make_host_etc
    printf 'passwd: files hesiod\ngroup: files hesiod\n' >"$HOST_ETC/nsswitch.conf"
    on_host 'mount --bind nss.so "$1"
        mount --bind "$HOST_ETC" /etc
        as 5151 "$CORACLE" run "$IMAGE" -- sh -c "id -un; id -gn; tail -n 99 /etc/passwd"' "$module"
    assert_success
    assert_equal "${lines[0]}" ldapuser
    assert_equal "${lines[1]}" ldapgroup
    assert_output_has 'ldapuser:x:5151:5151:L:/mnt/l:/bin/sh'
}

# --- paths that variables name ---------------------------------------------

# variable_shows NAME VALUE PATH: with NAME=VALUE outside, PATH of the host,
# made here with a file in it or as a file, is seen inside at the same path.
variable_shows() {
    on_host '
        mount -t tmpfs none /mnt
        mkdir -p "$(dirname "$3")"
        case $3 in
        */) mkdir -p "$3"; echo shown >"$3/mark"; probe=$3/mark ;;
        *) echo shown >"$3"; probe=$3 ;;
        esac
        export "$1=$2"
        as 1000 "$CORACLE" run "$IMAGE" -- sh -c "cat $probe && eval echo \\\"\\\$$1\\\""
        echo "unset:"
        as 1000 "$CORACLE" run --unset-env "$1" "$IMAGE" -- ls /mnt || true' "$1" "$2" "$3"
    assert_success
    [[ $output == "shown
$2
unset:" ]] || report "expected $3 to be shown for $1=$2, and not shown without it"
}

@test "TMPDIR is shown" { variable_shows TMPDIR /mnt/local/tmp /mnt/local/tmp/; }

@test "XDG_RUNTIME_DIR is shown" {
    variable_shows XDG_RUNTIME_DIR /mnt/run/user/1 /mnt/run/user/1/
}

@test "PMIX_SERVER_TMPDIR is shown" {
    variable_shows PMIX_SERVER_TMPDIR /mnt/spool/pmix.1 /mnt/spool/pmix.1/
}

@test "PMIX_SYSTEM_TMPDIR is shown" {
    variable_shows PMIX_SYSTEM_TMPDIR /mnt/spool /mnt/spool/
}

@test "KRB5CCNAME=FILE: is shown" {
    variable_shows KRB5CCNAME FILE:/mnt/krb/cc_1 /mnt/krb/cc_1
}

@test "SSH_AUTH_SOCK is shown" { variable_shows SSH_AUTH_SOCK /mnt/ssh/agent.1 /mnt/ssh/agent.1; }

@test "XAUTHORITY is shown" { variable_shows XAUTHORITY /mnt/x/.Xauthority /mnt/x/.Xauthority; }

@test "SLURM_CONF is shown" { variable_shows SLURM_CONF /mnt/slurm/slurm.conf /mnt/slurm/slurm.conf; }

@test "the munge socket is shown, in a job also when munged starts after the first launch" {
    on_host '
        mount -t tmpfs none /run
        as 1000 "$CORACLE" run "$IMAGE" -- test ! -e /run/munge
        mkdir /run/munge
        echo shown >/run/munge/munge.socket.2
        export SLURM_JOB_ID=1
        as 1000 "$CORACLE" run "$IMAGE" -- cat /run/munge/munge.socket.2'
    assert_output shown
}

# make_host_slurm: in HOST_ETC a configuration of Slurm whose daemons are zoe's,
# with a socket for munge at MUNGE.
make_host_slurm() {
    make_host_etc
    MUNGE=$BATS_TEST_TMPDIR/munge
    mkdir "$HOST_ETC/slurm" "$MUNGE"
    echo shown >"$MUNGE/socket"
    echo plugins >"$HOST_ETC/slurm/plugstack.conf"
    printf 'ClusterName=x SlurmUser=zoe\nInclude auth.conf\n' >"$HOST_ETC/slurm/slurm.conf"
    echo "AuthInfo=cred_expire=9,socket=$MUNGE/socket # ours" >"$HOST_ETC/slurm/auth.conf"
    export MUNGE
}

@test "Slurm's programs find their configuration, munge and the user that slurmctld runs as" {
    make_host_slurm
    on_host '
        mount --bind "$HOST_ETC" /etc
        mount --bind "$MUNGE" /mnt && sed -i "s|socket=.*/socket|socket=/mnt/socket|" /etc/slurm/auth.conf
        as 1000 "$CORACLE" run "$IMAGE" -- sh -c "cat /etc/slurm/plugstack.conf /mnt/socket; grep zoe /etc/passwd"'
    assert_output 'plugins
shown
zoe:x:4242:4242::/:/usr/sbin/nologin'
}

@test "SLURM_CONF names another configuration, and each has its own record" {
    make_host_slurm
    mkdir "$BATS_TEST_TMPDIR/other"
    echo 'SlurmUser=root' >"$BATS_TEST_TMPDIR/other/slurm.conf"
    on_host '
        mount --bind "$HOST_ETC" /etc
        who() { as 1000 "$CORACLE" run "$IMAGE" -- grep -c zoe /etc/passwd || true; }
        who
        export SLURM_CONF=$BATS_TEST_TMPDIR/other/slurm.conf
        who
        export SLURM_CONF=/etc/slurm/slurm.conf
        who'
    assert_output $'1\n0\n1'
}

@test "coracle explain says what is there for Slurm" {
    make_host_slurm
    on_host '
        mount --bind "$HOST_ETC" /etc
        as 1000 "$CORACLE" explain "$IMAGE" -- true | grep -c "from /etc/slurm .*\[Slurm\]"'
    assert_output 1
}

@test "where munge or Slurm is set up and no munged runs, that is looked at again after a minute" {
    make_host_etc
    on_host '
        mount -t tmpfs none /run
        mount --bind "$HOST_ETC" /etc
        for set_up in none munge slurm; do
            mkdir "/etc/$set_up"
            [ "$set_up" != slurm ] || touch /etc/slurm/slurm.conf
            export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/$set_up
            mkdir -m 700 "$XDG_RUNTIME_DIR"
            "$(dirname "$PROGRAM")/coracle-record" | grep -e holds= -e auth= | paste -s
            rm -r "/etc/$set_up"
        done'
    assert_output 'holds=86400	auth=
holds=60	auth=
holds=60	auth='
}

@test "variables that name nothing, or what is shown already, cause no trouble" {
    export TMPDIR=/nowhere/tmp SSH_AUTH_SOCK='' KRB5CCNAME=KCM: XAUTHORITY=relative \
        SLURM_CONF="$BATS_TEST_TMPDIR/slurm.conf" PMIX_SERVER_TMPDIR=/ XDG_RUNTIME_DIR=/proc
    touch "$SLURM_CONF"
    inside 'cat /etc/image-release; echo "$TMPDIR $KRB5CCNAME"; test -f "$SLURM_CONF"'
    assert_output 'image name
/nowhere/tmp KCM:'
    assert_equal "$stderr" ''
}
