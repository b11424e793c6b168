# What the test bed's up, down and run share: where a bed lies, which of its processes
# run, and how it is taken down. Sourced after setup/say.sh.
#
# A bed is a folder, of root, that everybody may traverse. In it:
#   settings       what it was started with; says that the folder is a bed
#   run/NAME       a process that up started: its pid, when it started, the boot
#   etc/           slurm.conf and what goes with it
#   munge/         munged's key, socket and log
#   nodes/NAME/    what is a machine's own: tmp, var-tmp, spool, logs
#   jobs/NAME/     on a node, what jobs have as /tmp
#   shared/        what all nodes see alike, as of a parallel file system
# shellcheck shell=bash

# shellcheck disable=SC2034 # up and down read it
bed_default=/var/lib/coracle-slurm

# bed_check_folder FOLDER: dies where munged would refuse to have a socket below it,
# or slurmd could not write its name.
bed_check_folder() {
    local dir=$1 mode
    [[ $1 =~ ^/[A-Za-z0-9._/-]+$ ]] || die "$1 cannot hold a bed: an absolute path of plain characters is needed"
    [ "${#1}" -le 60 ] || die "$1 is too long for the names of sockets: 60 characters at most"
    [[ $1/ != /tmp/* && $1/ != /var/tmp/* ]] || die "$1 is in a folder that each node has for itself" "Name another: --state DIR"
    while [ "$dir" != / ]; do
        dir=$(dirname "$dir")
        if [ ! -e "$dir" ]; then continue; fi
        mode=$(stat -c %a "$dir")
        if [ "$(stat -c %u "$dir")" != 0 ] || [ $((0$mode & 01)) = 0 ] ||
            { [ $((0$mode & 022)) != 0 ] && [ $((0$mode & 01000)) = 0 ]; }; then
            die "munged refuses a socket below $dir: not root's, closed to others, or open for others to write" \
                "Name another folder: --state DIR"
        fi
    done
}

# One of up and down at a time. The lock lies on the folder above, so that nothing of it
# is left. Descriptor 9 must not reach a daemon.
bed_lock() {
    mkdir -p "$(dirname "$1")"
    exec 9<"$(dirname "$1")"
    flock -w 120 9 || die "another up or down of $1 is at work"
}

bed_exists() { [ -e "$1/settings" ]; }

# bed_machines BED: the control machine and the nodes, by their names.
bed_machines() { (cd "$1/nodes" 2>/dev/null && printf '%s\n' *) | grep -v '\*' || true; }

# --- processes -------------------------------------------------------------------

# start_time PID: when it started, in the kernel's ticks. Fails for one that has ended.
start_time() {
    local stat
    local -a words
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    read -ra words <<<"${stat##*) }"
    [ "${words[0]}" != Z ] && [ "${words[0]}" != X ] && echo "${words[19]}"
}

# record BED NAME PID
record() {
    local start
    start=$(start_time "$3") || return 1
    printf '%s %s %s\n' "$3" "$start" "$(</proc/sys/kernel/random/boot_id)" >"$1/run/$2"
}

# pid_of BED NAME: prints it if that very process runs, and not another of the same number.
pid_of() {
    local pid start boot
    { read -r pid start boot <"$1/run/$2"; } 2>/dev/null || return 1
    [ "$boot" = "$(</proc/sys/kernel/random/boot_id)" ] && [ "$(start_time "$pid")" = "$start" ] && echo "$pid"
}

runs() { pid_of "$@" >/dev/null; }

# first_process BED NAME: process 1 of a machine, as it is numbered here.
first_process() {
    local pid children
    pid=$(pid_of "$@") || return 1
    read -r children <"/proc/$pid/task/$pid/children" 2>/dev/null
    [ -n "$children" ] && echo "$children"
}

# within SECONDS COMMAND...: waits that long at most for COMMAND to succeed.
within() {
    local end=$((SECONDS + $1))
    until "${@:2}"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# signal_all BED SIGNAL NAME...: to those that run.
signal_all() {
    local name pid
    for name in "${@:3}"; do
        if pid=$(pid_of "$1" "$name"); then kill "-$2" "$pid" 2>/dev/null || true; fi
    done
}

# signal_machines BED SIGNAL NAME...: to process 1 of each. Who started it waits for it.
signal_machines() {
    local name pid
    for name in "${@:3}"; do
        if pid=$(first_process "$1" "$name") || pid=$(pid_of "$1" "$name"); then
            kill "-$2" "$pid" 2>/dev/null || true
        fi
    done
}

have_ended() {
    local name
    for name in "${@:2}"; do
        if runs "$1" "$name"; then return 1; fi
    done
}

# all_run BED NAME...: all of them run.
all_run() {
    local name
    for name in "${@:2}"; do runs "$1" "$name" || return 1; done
}

# end_all BED SECONDS NAME...: asks, waits, kills.
end_all() {
    signal_all "$1" TERM "${@:3}"
    # A stopped process does not hear a TERM.
    signal_all "$1" CONT "${@:3}"
    within "$2" have_ended "$1" "${@:3}" && return
    signal_all "$1" KILL "${@:3}"
    within 10 have_ended "$1" "${@:3}"
}

# --- taking down -----------------------------------------------------------------

# Jobs are cancelled first, so that each srun on this machine hears of it and ends.
cancel_jobs() {
    local SLURM_CONF=$1/etc/slurm.conf jobs
    export SLURM_CONF
    jobs=$(timeout 3 squeue -h -o %A 2>/dev/null | sort -u) || return 0
    if [ -z "$jobs" ]; then return 0; fi
    # shellcheck disable=SC2086 # one word each
    timeout 3 scancel --full --signal=KILL $jobs 2>/dev/null || true
    # shellcheck disable=SC2086
    timeout 3 scancel $jobs 2>/dev/null || true
    if within 8 no_jobs; then within 8 no_clients "$1" || true; fi
}
no_jobs() { [ -z "$(timeout 3 squeue -h -o %A 2>/dev/null)" ]; }

# What waits for a job says its last to slurmctld.
no_clients() {
    local file
    while read -r file; do
        if grep -qsxE 'srun|salloc|sbatch' "${file%environ}comm"; then return 1; fi
    done < <(grep -lzs "^SLURM_CONF=$1/" /proc/[0-9]*/environ)
}

# cgroups_of BED: the folders that Slurm has made for the nodes, by hierarchy and name.
cgroups_of() {
    local name
    for name in $(bed_machines "$1"); do
        find /sys/fs/cgroup -xdev -maxdepth 1 -mindepth 1 -type d 2>/dev/null |
            while read -r hierarchy; do
                if [ -d "$hierarchy/slurm_$name" ]; then echo "$hierarchy/slurm_$name"; fi
            done
        find /sys/fs/cgroup -maxdepth 6 -type d -name "${name}_slurmstepd.scope" 2>/dev/null || true
    done
}

# A frozen process of cgroup v1 does not even hear a KILL.
thaw() {
    local state
    find "$@" -name freezer.state 2>/dev/null | while read -r state; do
        echo THAWED 2>/dev/null >"$state" || true
    done
}

remove_cgroups() {
    local left=0 dir
    for dir; do
        find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
        if [ -d "$dir" ]; then left=1; fi
    done
    return "$left"
}

# take_down BED: ends what up started, jobs included, and removes the folder. Each
# machine's PID namespace makes that certain: with its process 1 everything in it ends.
take_down() {
    local bed=$1 machines=() cgroups=()
    mapfile -t machines < <(bed_machines "$bed")
    mapfile -t cgroups < <(cgroups_of "$bed")
    if [ "${#cgroups[@]}" -gt 0 ]; then thaw "${cgroups[@]}"; fi
    if all_run "$bed" munged "${machines[@]}"; then cancel_jobs "$bed"; fi
    signal_machines "$bed" TERM "${machines[@]}"
    within 3 have_ended "$bed" "${machines[@]}" || true
    signal_machines "$bed" KILL "${machines[@]}"
    within 10 have_ended "$bed" "${machines[@]}" || die "machines of $bed do not end: their processes are held in the kernel"
    end_all "$bed" 3 munged || die "munged of $bed does not end"
    if [ "${#cgroups[@]}" -gt 0 ]; then
        within 10 remove_cgroups "${cgroups[@]}" || die "cgroups are left, with processes in them: ${cgroups[*]}"
    fi
    # What says that it is a bed goes last: somebody may end us.
    find "$bed" -mindepth 1 -maxdepth 1 ! -name settings -exec rm -rf --one-file-system -- {} +
    rm -rf --one-file-system -- "${bed:?}"
}
