# A machine that qemu emulates: it starts on a disk of vm-disk.sh with a kernel of vm.sh,
# does one job and goes. Sourced after say.sh.
#
#   vm_set_machine KERNEL DISK JOB CONSOLE   sets vm_qemu, the command; -accel, -m and -append are to follow
#   vm_pack_job JOB                          what lies in JOB/tar is the job
#   vm_label KERNEL DISK                     labels all files of DISK, as its SELinux wants them
#
# What the job prints is printed, its status is in JOB/status, and in the file CONSOLE what
# the kernel and systemd say.
# shellcheck shell=bash

vm_append="console=ttyS0 quiet mitigations=off panic=-1 systemd.show_status=0"
vm_append_selinux="selinux=1 security=selinux enforcing=0"

vm_set_machine() {
    vm_qemu=(qemu-system-x86_64 -cpu max -display none -monitor none -no-reboot -nic none
        -no-user-config -serial "file:$4" -serial stdio -serial "file:$3/status"
        -kernel "$1/vmlinuz" -initrd "$1/initrd" -drive "file=$2,if=virtio,format=raw"
        -drive "file=$3/disk,if=virtio,format=raw,readonly=on")
}

vm_pack_job() {
    tar -c -C "$1/tar" -f "$1/disk" . && truncate -s %1M "$1/disk" # a disk is made of sectors
}

# Labels are attributes that only root may write, and semodule makes them for the homes of
# users as it builds the policy, so the machine itself does it. What it writes is kept: nobody
# else has the disk yet.
vm_label() {
    local kernel=$1 disk=$2 job status=
    job=$(mktemp -d "$disk.XXXXXX") && mkdir "$job/tar" && : >"$job/tar/as-root" || return 1
    echo 'semodule -B && setfiles -F /etc/selinux/default/contexts/files/file_contexts / && sync' >"$job/tar/command"
    if vm_pack_job "$job"; then
        vm_set_machine "$kernel" "$disk" "$job" "$job/console"
        timeout --foreground -k 10 2400 "${vm_qemu[@]}" -accel tcg,thread=multi -m 2048 \
            -append "$vm_append $vm_append_selinux" </dev/null
        status=$(tr -dc 0-9 <"$job/status")
    fi
    if [ "$status" != 0 ]; then tail -n 20 "$job/console"; fi
    rm -rf "$job"
    [ "$status" = 0 ]
}
