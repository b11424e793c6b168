# measure - measuring launches in turns, for the benches that source this.
# shellcheck shell=bash
# shellcheck disable=SC2154 # work, results: the bench; line, reason: its command_line

# The program to measure, coracle, and the folder of the bench's own, build.
find_programs() { # NAME...
    local name
    build=${CORACLE_BUILD:-$PWD}
    coracle=${CORACLE:-$build/bin/coracle}
    for name; do
        [[ -x $build/test/bench/$name ]] || die "$build/test/bench/$name is missing: run make check_PROGRAMS in the build folder"
    done
    build=$(cd "$build" && pwd)
    if [[ -e $coracle ]]; then
        coracle=$(realpath "$coracle")
    fi
}

# The default view follows the environment (TMPDIR, XDG_RUNTIME_DIR and others),
# so every run starts from the same one: nothing but a batch job's usual 64
# variables, which cost an exec and a search each.
start_with_clean_environment() { # ARG...
    local kept=() name number
    if [[ ${CORACLE_BENCH_ENVIRONMENT:-} == clean ]]; then
        unset CORACLE_BENCH_ENVIRONMENT
        return
    fi
    for name in ${!CORACLE@}; do
        kept+=("$name=${!name}")
    done
    for number in {1..60}; do
        kept+=("JOB_VARIABLE_$number=/some/value/of/the/job")
    done
    exec env -i CORACLE_BENCH_ENVIRONMENT=clean "PATH=$PATH:/usr/sbin:/sbin" "HOME=${HOME:?}" \
        "USER=$(id -un)" LC_ALL=C "${kept[@]}" "$BASH" "$0" "$@"
}

# An image with all mount points of the default view and 2,000 more.
make_image() { # DIR
    mkdir -p "$1"/{proc,sys,dev,tmp,etc,bin,b,mnt} "$1$(dirname "$HOME")"
    (cd "$1/b" && seq 2000 | xargs mkdir)
    cp "$payload" "$1/bin/true"
    : >"$1/etc/hosts" && : >"$1/etc/resolv.conf" && : >"$1/etc/localtime"
    getent passwd 0 >"$1/etc/passwd" && getent group 0 >"$1/etc/group"
}

pack_image() { # DIR FILE METHOD [MKSQUASHFS-OPTION...]
    mksquashfs "$1" "$2" -comp "$3" "${@:4}" -noappend -quiet -no-progress >"$work/log" 2>&1 ||
        die "mksquashfs: $(tail -n 1 "$work/log")"
}

# Tools are started by their full path with an empty PATH: crun and runc would
# run newuidmap twice for a map that they can write themselves.
plainly=(/usr/bin/env "PATH=/nonexistent")

# Runs COMMAND; where PREPARE is not empty, in a mount namespace of its own
# with the same uid, in which PREPARE was run with the privilege to mount.
in_namespace() { # PREPARE COMMAND [ARG...]
    if [[ ! $1 ]]; then
        "${@:2}"
        return
    fi
    # shellcheck disable=SC2016
    unshare --user --map-current-user --mount --keep-caps bash -c '
        set -e; eval "$1"; shift
        exec setpriv --ambient-caps=-all --inh-caps=-all -- "$@"' bash "$@"
}

# To be run as PREPARE: COUNT mounts more.
more_mounts() { # COUNT
    # shellcheck disable=SC2016
    echo 'mount -t tmpfs none /mnt; cd /mnt; seq '"$1"' | xargs mkdir; cd "$OLDPWD";
        for i in $(seq '"$1"'); do mount --bind /mnt/$i /mnt/$i; done;'
}

record() { # FIELD...
    local IFS=$'\t'
    echo "$*" >>"$results"
}

# Makes of `line`, in which spawn would put numbers, one that can be run without it.
without_numbers() {
    line=("${line[@]//%n/probe}")
    line=("${line[@]//%r/probe}")
}

# Sets `runnable` to those TOOLs that run here and records why the others do not.
choose() { # SECTION PREPARE IMAGE BINDS TOOL...
    local section=$1 prepare=$2 image=$3 binds=$4 tool as_timed
    shift 4
    runnable=()
    for tool; do
        command_line "$tool" "$image" "$binds"
        as_timed=("${line[@]}")
        without_numbers
        if ((${#line[@]})) && ! in_namespace "$prepare" "${plainly[@]}" "${line[@]}" </dev/null >"$work/log" 2>&1; then
            reason="cannot run: $(grep -v '^$' "$work/log" | head -n 1 | cut -c 1-200)"
            line=()
        fi
        if ((${#line[@]})); then
            runnable+=(--- "$tool" "${as_timed[@]}")
        else
            record "$section" "$tool" - "$reason"
        fi
    done
}

# Runs TOOLs in turns, beside what `held` has (spawn.c). One record for each:
# section, tool, median, minimum, 90th percentile, faults, the medians of both
# bases in the same run, failures, and warnings of all.
held=()
bases=(exec floor)
measure() { # SECTION PREPARE IMAGE BINDS SPAWN-OPTIONS TOOL...
    local section=$1 prepare=$2 options
    read -ra options <<<"$5"
    choose "$1" "${prepare:+${hide_cgroup2:-}}" "$3" "$4" "${@:6}"
    ((${#runnable[@]})) || return 0
    echo "  $section" >&2
    in_namespace "$prepare" "${plainly[@]}" "${spawn[@]:-$build/test/bench/spawn}" "${options[@]}" "${held[@]}" "${runnable[@]}" \
        </dev/null >"$work/spawned" 2>"$work/log" || die "$section: $(tail -n 3 "$work/log" 2>/dev/null)"
    awk -F '\t' -v OFS='\t' -v section="$section" -v first="${bases[0]}" -v second="${bases[1]}" \
        -v warnings="$(grep -c '^coracle: ' "$work/log")" '
        {line[NR] = $1 OFS $3 OFS $4 OFS $5 OFS $6; base[$1] = $3; failed[NR] = $7}
        END {for (i = 1; i <= NR; i++) print section, line[i], base[first] + 0, base[second] + 0, failed[i], warnings}
    ' "$work/spawned" >>"$results"
}

# System calls from the tool's own exec to the payload's, in all processes, and
# which failed. Record: calls SECTION TOOL TOTAL FAILED NAMES.
count_calls() { # SECTION IMAGE BINDS TOOL...
    local tool
    if ! command -v strace >/dev/null; then
        echo "  strace is not installed: no system calls counted" >&2
        return
    fi
    for tool in "${@:4}"; do
        command_line "$tool" "$2" "$3"
        ((${#line[@]})) || continue
        without_numbers
        in_namespace "${hide_cgroup2:-}" strace -f -E PATH=/nonexistent -s 200 -o "$work/trace" "${line[@]}" </dev/null >/dev/null 2>&1 ||
            continue
        awk -v payload="$payload" -v OFS='\t' -v section="$1" -v tool="$tool" '
            index($2, "execve(\"" payload "\"") == 1 && / = 0$/ {over = 1}
            NR == 1 || over || $2 !~ /^[a-z_0-9]+\(/ {next}
            {calls++}
            / = -1 E/ {split($2, name, "("); failed++; match($0, / = -1 E[A-Z0-9]+/)
                what[name[1] " " substr($0, RSTART + 6, RLENGTH - 6)]++}
            END {for (i in what) names = names (names ? ", " : "") i (what[i] > 1 ? " x" what[i] : "")
                print "calls", section, tool, calls + 0, failed + 0, names}
        ' "$work/trace" >>"$results"
    done
}

record_facts() { # BURST
    record facts "$(uname -s) $(uname -r | cut -d - -f 1), $(nproc) CPUs, $(grep -c . /proc/self/mountinfo) mounts, image $([[ $image == "$small_image" ]] && echo "made by the bench" || echo "$(basename "$(dirname "$image")")/$(basename "$image")")" \
        "$(date +%F)" "$1"
}
