#!/bin/bash
# On a machine of test/vm with SELinux, as root: what it enforces, for a user whom the policy
# does not confine and for one whom it does, without and with the module of examples/selinux.
# Prints TAP, and what was denied to Coracle's programs.
#
# A command of a user is an ssh login's, so that it has the context that a login gives.
set -uo pipefail

# shellcheck source=test/machines/points.bash
. "$(dirname "$0")/points.bash"

# as USER SCRIPT: its output and status in output, status.
as() {
    status=0
    output=$(ssh -q -o StrictHostKeyChecking=no -o BatchMode=yes "$1@localhost" "export CORACLE_SHARE=selinux; $2" \
        </dev/null 2>&1) || status=$?
}

is_name() { [ "$status" -eq 0 ] && [[ $output == 'name of the image' ]]; }

make_images() {
    local name image=/home/$1/image
    mkdir -p "$image"/{bin,etc,proc,sys,dev,tmp} && cp /bin/busybox "$image/bin/busybox" || return
    for name in sh cat sleep readlink touch; do ln -s busybox "$image/bin/$name" || return; done
    echo 'name of the image' >"$image/etc/image-release" && mksquashfs "$image" "$image.sqfs" -quiet -no-progress >/dev/null
}

allow_logins() {
    [ -e /root/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 || return
    install -D -m 600 /root/.ssh/id_ed25519.pub "/home/$1/.ssh/authorized_keys" && chmod 700 "/home/$1/.ssh"
}

# Files get the labels that the site's policy has for their names.
prepare() {
    local user
    mkdir -p /root/.ssh /usr/local/libexec/coracle && install -m 755 /job/bin/coracle /usr/local/bin/ &&
        find /job/bin -name 'coracle-*' -exec install -m 755 -t /usr/local/libexec/coracle {} + || return
    for user in user strict; do
        make_images "$user" && allow_logins "$user" && chown -R "$user:" "/home/$user" || return
    done
    restorecon -RF /usr/local /home /root
}

# denials: what the kernel refused to a program of Coracle since the last look. That of which the
# policy says dontaudit is not seen.
denials() {
    dmesg | grep 'avc:  denied .* comm="coracle' | sed -E 's/.*(denied .*)/\1/; s/(pid|ino)=[0-9]+ //g' | sort -u
    dmesg -C
}

# launches USER: all of what an image is for.
launches() {
    local image user=$1
    for image in image image.sqfs; do
        as "$user" "coracle run $image -- cat /etc/image-release"
        is_name
        point "$user: $image works"
        as "$user" "coracle run --share=none $image -- cat /etc/image-release"
        is_name
        point "$user: $image works alone"
        as "$user" "coracle run --root $image -- cat /etc/image-release"
        is_name
        point "$user: $image works with --root"
        as "$user" "mkdir -p place && coracle run --bind \"\$PWD/place:/mnt/deep\" $image -- sh -c 'echo x >/mnt/deep/file' && cat place/file"
        [ "$status" -eq 0 ] && [ "$output" = x ]
        point "$user: $image gets a mount at a target that it lacks"
        meets "$user" "$image"
        point "$user: ranks on $image meet, and exec enters them"
    done
    as "$user" "coracle run --unpack=\"\$PWD\" image.sqfs -- cat /etc/image-release"
    is_name
    point "$user: an unpacked image works"
    as "$user" "coracle run --writable-tmpfs image -- sh -c 'echo x >/etc/new && cat /etc/new'"
    [ "$status" -eq 0 ] && [ "$output" = x ]
    point "$user: a directory can be written to with --writable-tmpfs"
    # shellcheck disable=SC2088 # theirs
    as "$user" "coracle run image -- cat /proc/self/attr/current | tr -d '\0'; echo; id -Z"
    [[ $output =~ ^([^$'\n']+)$'\n'(.*)$ && ${BASH_REMATCH[1]} == "${BASH_REMATCH[2]}" ]]
    point "$user: inside is the context of outside"
    as "$user" "coracle doctor"
    [ "$status" -eq 0 ] && [[ $output == *'coracle run works here.'* ]]
    point "$user: doctor says that all works"
}

# meets USER IMAGE: the mount namespaces of a rank, the next, and a command of exec.
meets() {
    local wait="n=0; while [ ! -e ~/end ] && [ \$n -lt 60 ]; do sleep 1; n=\$((n + 1)); done"
    local look='readlink /proc/self/ns/mnt'
    as "$1" "rm -f end
        coracle run --name here $2 -- sh -c '$look >~/first; $wait' &
        n=0
        until coracle exec here -- true 2>/dev/null || [ \$n -ge 30 ]; do sleep 1; n=\$((n + 1)); done
        coracle run $2 -- $look
        coracle exec here -- $look
        touch end
        wait
        cat first"
    [[ $output =~ ^(mnt:[^$'\n']+)$'\n'(mnt:[^$'\n']+)$'\n'(mnt:[^$'\n']+)$ ]] &&
        [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ] && [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[3]}" ]
}

[ -e /sys/fs/selinux/enforce ] || skip_all "this kernel runs without SELinux"
output=$(prepare 2>&1)
point 'Coracle is installed, and images are made and labelled'
setenforce 1 && output=$(getenforce) && [ "$output" = Enforcing ]
point 'SELinux enforces'
dmesg -C

as user 'id -Z'
[[ $output == unconfined_u:unconfined_r:unconfined_t:* ]]
point 'user: a login is not confined'
launches user
as user "coracle run --writable-tmpfs image.sqfs -- sh -c 'echo x >/etc/new && cat /etc/new'"
[ "$status" -eq 0 ] && [ "$output" = x ]
point 'user: a SquashFS image can be written to with --writable-tmpfs'
output=$(denials)
[ -z "$output" ]
point 'user: nothing was denied to Coracle'

as strict 'id -Z'
[[ $output == user_u:user_r:user_t:* ]]
point 'strict: a login is confined'
for kind in image image.sqfs; do
    as strict "coracle run $kind -- cat /etc/image-release"
    [ "$status" -eq 125 ] && [[ $output == *SELinux*examples/selinux*'[userns-disabled]' ]]
    point "strict: without the module $kind is refused, and the message says by what"
done
said=${output#coracle: error: }
as strict 'coracle doctor'
[ "$status" -eq 3 ] && [[ $output == *"nothing runs here: ${said%% \[*}"* ]]
point 'strict: doctor says the same line'
[[ $output == *'/dev/fuse is closed to you'*'SELinux, which enforces a policy here, must let you'* ]]
point 'strict: and that SELinux closes /dev/fuse'
output=$(denials)
[[ $output == *user_u:user_r:user_t:*userns* || $output == *tclass=user_namespace* ]]
point 'strict: the log says what was denied'
printf '%s\n' "$output" | sed 's/^/# /'

# The minutes in which the policy is built. No login is under way meanwhile.
setenforce 0
output=$(semodule -i /job/selinux/coracle.cil 2>&1) && setenforce 1
point 'the module that we ship is loaded'
dmesg -C
launches strict
# The overlay gives a directory that it copies the label that it has in the image, system_u's.
as strict "coracle run --writable-tmpfs image.sqfs -- sh -c 'echo x >/etc/new' && echo written"
[[ $status -ne 0 && $output == *denied* ]]
point 'strict: directories of a SquashFS image stay as they are with --writable-tmpfs'
denials | sed 's/^/# /'
points_end
