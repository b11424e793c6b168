# peers - the command line of each tool for the same launch. Sourced by launch.
# shellcheck shell=bash
# shellcheck disable=SC2154 # build, work, coracle, payload, home_tmpfs, files: launch
# shellcheck disable=SC2034 # line, reason: results

find_program() { # NAME: sets `program`, or `reason` and fails
    program=$(command -v "$1") || {
        reason="not installed"
        return 1
    }
}

# The name to bind to for a tool that follows the image's links.
behind_link() { # IMAGE NAME
    local name=$2 link
    if [[ -L $1$name ]]; then
        link=$(readlink "$1$name")
        [[ $link == /* ]] && name=$link || name=$(realpath -ms "$(dirname "$name")/$link")
    fi
    [[ -e $1$name ]] && echo "$name"
}

# Sets `line` to the command line of TOOL with BINDS more binds, of source/ to
# b/1, b/2 and so on; empty, with the `reason`, where there is none.
command_line() { # TOOL IMAGE BINDS
    local tool=$1 image=$2 binds=$3 program name
    line=() reason=''
    case $tool in
    exec)
        line=("$payload")
        ;;
    floor)
        add_binds "$binds" pair
        line=("$build/test/bench/floor" "$image" "$HOME" "${files[@]}" "${line[@]}" -- "$payload")
        ;;
    unshare)
        if ((binds)); then
            reason="makes no binds"
        elif find_program unshare; then
            line=("$program" -Urm "$payload")
        fi
        ;;
    coracle)
        if [[ -x $coracle ]]; then
            add_binds "$binds" colon --bind
            line=("$coracle" run --share=none "${line[@]}" "$image" -- "$payload")
        else
            reason="not built"
        fi
        ;;
    coracle-zstd | coracle-lz4)
        if [[ -x ${coracle%/*}/coracle-fuse || -x ${coracle%/bin/*}/libexec/coracle/coracle-fuse ]]; then
            line=("$coracle" run --share=none "$work/${tool#*-}.sqfs" -- "$payload")
        else
            reason="coracle-fuse is not built"
        fi
        ;;
    charliecloud-zstd)
        if find_program ch-run; then
            line=("$program" --home "$work/zstd.sqfs" -- "$payload")
        fi
        ;;
    squashfuse-bubblewrap)
        # What a script does: mount, run, unmount. dash costs a twentieth of it.
        # shellcheck disable=SC2016 # the shell inside expands
        if find_program squashfuse_ll && find_program fusermount3 && find_program bwrap; then
            mkdir -p "$work/mounted"
            command_line bubblewrap "$work/mounted" 0
            line=(/bin/sh -c 'squashfuse_ll "$1" "$2" && { shift 2; "$@"; status=$?; fusermount3 -u "$0"; exit $status; }'
                "$work/mounted" "$work/zstd.sqfs" "$work/mounted" "${line[@]}")
            line=(/usr/bin/env "PATH=$PATH" "${line[@]}")
        fi
        ;;
    bubblewrap)
        if find_program bwrap; then
            for name in "${home_tmpfs[@]}"; do line+=(--tmpfs "$name"); done
            line+=(--bind "$HOME" "$HOME")
            add_files "$image"
            add_binds "$binds" pair --bind
            line=("$program" --ro-bind "$image" / --bind /proc /proc --bind /sys /sys --dev-bind /dev /dev
                --bind /tmp /tmp "${line[@]}" --chdir "$work" -- "$payload")
        fi
        ;;
    charliecloud)
        if find_program ch-run; then
            add_binds "$binds" colon -b
            line=("$program" --home "${line[@]}" "$image" -- "$payload")
        fi
        ;;
    crun | runc)
        if find_program "$tool"; then
            make_bundle "$image" "$binds"
            [[ $tool == runc ]] || line=(--cgroup-manager=disabled)
            line=("$program" --root "$work/$tool" "${line[@]}" run --bundle "$work/bundle-$binds" %n)
        fi
        ;;
    esac
}

add_binds() { # COUNT pair|colon [OPTION]
    local i
    for ((i = 1; i <= $1; i++)); do
        if [[ $2 == pair ]]; then
            line+=(${3:+"$3"} "$work/source" "/b/$i")
        else
            line+=("$3" "$work/source:/b/$i")
        fi
    done
}

add_files() { # IMAGE
    local i name
    for ((i = 0; i < ${#files[@]}; i += 2)); do
        if name=$(behind_link "$1" "${files[i + 1]}"); then
            line+=(--ro-bind "${files[i]}" "$name")
        fi
    done
}

json_bind() { # SOURCE TARGET
    printf ',\n{"destination":"%s","source":"%s","type":"bind","options":["rbind"]}' "$2" "$1"
}

# What crun and runc run: the same two namespaces and the same mounts. Both
# insist on a uid 0 in the container.
make_bundle() { # IMAGE BINDS
    local bundle=$work/bundle-$2 i name
    mkdir -p "$bundle"
    {
        cat <<END
{"ociVersion": "1.0.2",
 "process": {"user": {"uid": 0, "gid": 0}, "args": ["$payload"], "cwd": "$work",
  "env": ["PATH=/usr/bin:/bin"], "noNewPrivileges": true},
 "root": {"path": "$1", "readonly": true},
 "linux": {"namespaces": [{"type": "user"}, {"type": "mount"}],
  "uidMappings": [{"containerID": 0, "hostID": $UID, "size": 1}],
  "gidMappings": [{"containerID": 0, "hostID": $(id -g), "size": 1}]},
 "mounts": [{"destination":"/proc","source":"/proc","type":"bind","options":["rbind"]}
END
        for name in /sys /dev /tmp; do json_bind "$name" "$name"; done
        for name in "${home_tmpfs[@]}"; do printf ',\n{"destination":"%s","source":"tmpfs","type":"tmpfs"}' "$name"; done
        json_bind "$HOME" "$HOME"
        for ((i = 0; i < ${#files[@]}; i += 2)); do
            if name=$(behind_link "$1" "${files[i + 1]}"); then json_bind "${files[i]}" "$name"; fi
        done
        for ((i = 1; i <= $2; i++)); do json_bind "$work/source" "/b/$i"; done
        echo ']}'
    } >"$bundle/config.json"
}
