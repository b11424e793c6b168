#!/bin/bash
# On a machine of test/vm with AppArmor 4, as root: a restriction like Ubuntu's, without and
# with the profile of examples/apparmor. Prints TAP.
#
# Where the kernel has no kernel.apparmor_restrict_unprivileged_userns, which is Ubuntu's, the
# user's shell has a profile that allows all but user namespaces.
set -uo pipefail

# shellcheck source=test/machines/points.bash
. "$(dirname "$0")/points.bash"

switch=/proc/sys/kernel/apparmor_restrict_unprivileged_userns
confine=()
restrict() {
    if [ -e "$switch" ]; then
        echo 1 >"$switch"
        return
    fi
    # The restriction sees what has no profile; a program that has one changes to it.
    cat >/etc/apparmor.d/restricted <<'END'
abi <abi/4.0>,
include <tunables/global>
profile restricted {
  capability,
  network,
  mount,
  umount,
  pivot_root,
  ptrace,
  signal,
  dbus,
  unix,
  /{,**} rwlkm,
  /** pix,
}
END
    apparmor_parser -r /etc/apparmor.d/restricted || return
    confine=(aa-exec -p restricted --)
}

# as_user COMMAND...: its output and status in output, status.
as_user() {
    status=0
    output=$("${confine[@]}" runuser -u user -- env -i HOME=/home/user USER=user LOGNAME=user PATH=/usr/local/bin:/usr/bin:/bin \
        CORACLE_SHARE=apparmor "$@" </dev/null 2>&1) || status=$?
}

is_refused() { [ "$status" -eq 125 ] && [[ $output == *'[userns-disabled]'* ]]; }
is_name() { [ "$status" -eq 0 ] && [[ $output == *'name of the image'* ]]; }

make_images() {
    local image=/home/user/image
    mkdir -p "$image"/{bin,etc,proc,sys,dev,tmp} &&
        cp /bin/busybox "$image/bin/busybox" && ln -s busybox "$image/bin/sh" && ln -s busybox "$image/bin/cat" &&
        ln -s busybox "$image/bin/sleep" && ln -s busybox "$image/bin/readlink" &&
        echo 'name of the image' >"$image/etc/image-release" && chown -R user: "$image" &&
        mksquashfs "$image" "$image.sqfs" -quiet -no-progress >/dev/null && chown user: "$image.sqfs"
}

install_coracle() {
    mkdir -p /usr/local/libexec/coracle &&
        install -m 755 /job/bin/coracle /usr/local/bin/ &&
        find /job/bin -name 'coracle-*' -exec install -m 755 -t /usr/local/libexec/coracle {} +
}

[ -d /sys/kernel/security/apparmor ] || skip_all "this kernel runs without AppArmor"
install_coracle && make_images
point 'Coracle is installed, and two images are made'
restrict
point 'user namespaces are restricted'

for kind in image image.sqfs; do
    as_user coracle run "/home/user/$kind" -- cat /etc/image-release
    is_refused
    point "without the profile $kind is refused [userns-disabled]"
    [[ $output == *AppArmor* || $output == *'security module'* ]]
    point 'and the message says who forbids it'
    printf '# %s\n' "$output"
done

cp /job/apparmor/coracle /etc/apparmor.d/coracle && output=$(apparmor_parser -r /etc/apparmor.d/coracle 2>&1)
point 'the profile that we ship is loaded'
for kind in image image.sqfs; do
    as_user coracle run "/home/user/$kind" -- cat /etc/image-release
    is_name
    point "with it $kind works"
    as_user coracle run --share=none "/home/user/$kind" -- cat /etc/image-release
    is_name
    point "with it $kind works alone"
    as_user coracle run --root "/home/user/$kind" -- cat /etc/image-release
    is_name
    point "with it $kind works with --root"
    # shellcheck disable=SC2016 # that shell expands it
    as_user sh -c 'coracle run "$1" -- sh -c "readlink /proc/self/ns/mnt; sleep 20" & sleep 8
        coracle run "$1" -- readlink /proc/self/ns/mnt; wait' sh "/home/user/$kind"
    [[ $output =~ ^(mnt:[^$'\n']*)$'\n'(mnt:.*)$ && ${BASH_REMATCH[1]} == "${BASH_REMATCH[2]}" ]]
    point "with it a second launch of $kind meets the first"
done
points_end
