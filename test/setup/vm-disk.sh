# A disk for a machine that qemu emulates: a Debian with systemd and a user, which runs
# a job at the start. Sourced after say.sh, image.sh, vm.sh.
#
#   vm_disk FILE KIND KERNEL  FILE: a disk for KIND
#
# KIND: plain, the host's own release, with what the tests need; apparmor, Debian 13 and
# its AppArmor, which knows user namespaces; selinux, Debian 13 and its SELinux, with every
# file labelled, for which the kernel in the folder KERNEL starts it once.
#
# It comes from the host's Debian mirror and needs neither root nor a mount. It is
# whole or not there. On failure vm_missing says what is not to be had.
# shellcheck shell=bash
# shellcheck disable=SC2034 # vm_missing is read by test/vm

vm_packages=systemd,systemd-sysv,libpam-systemd,dbus,dbus-user-session,udev,procps,util-linux,passwd
vm_packages_plain=$vm_packages,bats,gcc,libc6-dev,musl-tools,busybox-static,squashfs-tools,strace,jq,python3-minimal,fuse3,attr,bsdextrautils
vm_packages_apparmor=$vm_packages,busybox-static,squashfs-tools,fuse3,apparmor
vm_packages_selinux=$vm_packages,busybox-static,squashfs-tools,fuse3,selinux-policy-default,policycoreutils,selinux-utils,openssh-server,openssh-client

vm_disk_release() {
    case $1 in
        apparmor | selinux) echo trixie ;;
        *) image_release ;;
    esac
}

vm_disk_packages() {
    local list=vm_packages_$1
    printf '%s\n' "${!list}"
}

vm_disk_recipe() {
    printf '2 %s %s\n' "$(vm_disk_release "$1")" "$(vm_disk_packages "$1")"
}

# vm_disk_sources RELEASE LIST: as image_sources, of any release.
vm_disk_sources() {
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror
    if [ "$1" = "$(image_release)" ]; then
        image_sources "$1" "$2"
        return
    fi
    mirror=$(vm_mirror)
    if [ -n "$mirror" ]; then
        printf 'deb %s%s %s main\n' "$([ ! -r "$keys" ] || echo "[signed-by=$keys] ")" "$mirror" "$1" >"$2"
        printf '%s\n' "$2"
    fi
}

# vm_bootstrap MODE TAR LIST KIND
vm_bootstrap() {
    local release scratch sources options
    release=$(vm_disk_release "$4") || { echo "this host is not a Debian" >&2; return 1; }
    scratch=$(image_scratch) || return 1
    mapfile -t sources < <(vm_disk_sources "$release" "$3")
    [ "${#sources[@]}" -gt 0 ] || { echo "no Debian mirror in the host's apt configuration" >&2; return 1; }
    mapfile -t options < <(image_apt_options)
    PATH=/usr/bin:/bin:$PATH TMPDIR=$scratch mmdebstrap --mode="$1" --variant=minbase --format=tar \
        --include="$(vm_disk_packages "$4")" --aptopt='APT::Install-Recommends "false"' "${options[@]}" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
        "$release" "$2" "${sources[@]}"
}

# What runs the job at the start, as root. It lies on the second disk, a tar; what
# it prints goes to the second serial line, its status to the third.
vm_job_starter() {
    cat <<'STARTER'
#!/bin/bash
stty -F /dev/ttyS1 raw -echo
stty -F /dev/ttyS2 raw -echo
mkdir /job
tar -x -C /job --no-same-owner -f /dev/vdb
chown -R user: /job
# The limits of whoever logs in; the controllers of its cgroup are its own.
session=(runuser -u user -- env -i HOME=/home/user USER=user LOGNAME=user SHELL=/bin/bash LANG=C.UTF-8
    PATH=/usr/local/bin:/usr/bin:/bin XDG_RUNTIME_DIR=/run/user/1000
    systemd-run --user --quiet --pipe --wait --collect --working-directory=/home/user --property=Delegate=yes)
if [ -e /job/as-root ]; then session=(env -C /root HOME=/root); fi
status=0
"${session[@]}" bash /job/command </dev/null >/dev/ttyS1 2>&1 || status=$?
echo "$status" >/dev/ttyS2
STARTER
}

vm_job_unit() {
    cat <<'UNIT'
[Unit]
Description=the job
DefaultDependencies=no
After=basic.target systemd-logind.service user@1000.service
Wants=user@1000.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/job
ExecStopPost=/bin/systemctl --no-block poweroff -f -f
TimeoutStartSec=infinity
UNIT
}

# vm_furnish ROOT: the user, the job, and nothing that only costs time.
vm_furnish() {
    local root=$1 unit
    cd "$root" || return 1
    echo 'user:x:1000:1000::/home/user:/bin/bash' >>etc/passwd
    echo 'user:x:1000:' >>etc/group
    echo 'user:*:19000:0:99999:7:::' >>etc/shadow
    mkdir -p home/user var/lib/systemd/linger && chown 1000:1000 home/user && : >var/lib/systemd/linger/user
    echo vm >etc/hostname
    echo 127.0.0.1 localhost vm >etc/hosts
    echo 0123456789abcdef0123456789abcdef >etc/machine-id # or systemd sees a first boot
    vm_job_starter >usr/local/sbin/job && chmod 755 usr/local/sbin/job
    vm_job_unit >etc/systemd/system/job.service
    mkdir -p etc/systemd/system/multi-user.target.wants
    ln -sf /etc/systemd/system/job.service etc/systemd/system/multi-user.target.wants/job.service
    ln -sf /lib/systemd/system/multi-user.target etc/systemd/system/default.target
    for unit in getty.target serial-getty@ttyS0.service apt-daily.timer apt-daily-upgrade.timer \
        dpkg-db-backup.timer e2scrub_all.timer fstrim.timer e2scrub_reap.service; do
        ln -sf /dev/null "etc/systemd/system/$unit"
    done
    rm -rf var/lib/apt/lists/* var/cache/apt/*
}

# What systemd asks for when it loads the policy, and a second user, whose logins are confined.
vm_furnish_selinux() {
    cd "$1" || return 1
    if [ ! -d etc/selinux/default ]; then return; fi
    printf 'SELINUX=permissive\nSELINUXTYPE=default\n' >etc/selinux/config
    echo 'strict:x:1001:1001::/home/strict:/bin/bash' >>etc/passwd
    echo 'strict:x:1001:' >>etc/group
    echo 'strict:*:19000:0:99999:7:::' >>etc/shadow
    mkdir -p home/strict && chown 1001:1001 home/strict
    echo 'strict:user_u:s0' >>var/lib/selinux/default/active/seusers.local # as semanage login does
}

# vm_format TAR FILE: under fakeroot, so that files keep their owners without root.
vm_format() {
    local root=$2.root
    rm -rf "$root" && mkdir "$root" && tar -x -p -C "$root" --exclude='./dev/*' -f "$1" &&
        (vm_furnish "$root") && (vm_furnish_selinux "$root") &&
        chmod -R u+rwX "$root" && # mke2fs reads all of it, and is not really root
        mke2fs -q -F -t ext4 -O ^has_journal -d "$root" "$2" "$(($(du -sm "$root" | cut -f 1) + 2500))M" # bats keeps what each test has left
}

vm_make_disk() {
    local mode=$1 disk=$2 kind=$3 kernel=$4 status=0
    vm_bootstrap "$mode" "$disk.tar" "$disk.list" "$kind" &&
        fakeroot bash -c "$(declare -f vm_format vm_furnish vm_furnish_selinux vm_job_starter vm_job_unit)"'; vm_format "$@"' bash \
            "$disk.tar" "$disk.partial" || status=1
    if [ "$status" -eq 0 ] && [ "$kind" = selinux ]; then vm_label "$kernel" "$disk.partial" || status=1; fi
    rm -rf "$disk.tar" "$disk.list" "$disk.partial.root"
    return "$status"
}

vm_disk() {
    local disk=$1 kind=$2 kernel=$3 mode
    if [ -s "$disk" ] && [ "$(cat "$disk.recipe" 2>/dev/null)" = "$(vm_disk_recipe "$kind")" ]; then return 0; fi
    rm -f "$disk" "$disk.recipe"
    for mode in $(image_modes); do
        if slow "a disk, mmdebstrap mode $mode" "$disk.log" vm_make_disk "$mode" "$disk" "$kind" "$kernel"; then
            mv "$disk.partial" "$disk" && vm_disk_recipe "$kind" >"$disk.recipe"
            return
        fi
        rm -rf "$disk.partial"
    done
    vm_missing="no disk could be made, see $disk.log"
    return 1
}
