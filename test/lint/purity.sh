#!/bin/bash
# Compares what the objects of the pure rooms refer to, by nm(1), with
# purity.table: they cannot open, mount, fork or read the environment.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

table=$srcdir/test/lint/purity.table
awk=$srcdir/test/lint/purity.awk

if [ -n "$(make_variable SANITIZE_CFLAGS)" ]; then
    tap_skip_all "sanitizers put calls of their own into every object"
fi
case " $(make_variable CFLAGS) " in
*coverage* | *-pg* | *-fsanitize*) tap_skip_all "CFLAGS put calls of their own into every object" ;;
esac

# The object of module ROOM/NAME: of the light programs' rooms, or of one program's own.
object_of() {
    local program
    for program in libcoracle_light_a libimages_a bin_coracle_broker bin_coracle_fuse; do
        if [ -f "lib/${1%/*}/$program-${1##*/}.o" ]; then
            echo "lib/${1%/*}/$program-${1##*/}.o"
            return
        fi
    done
    return 1
}

# Whether configure left out what HAVE_NAME stands for: a room, for want of a library.
is_left_out() {
    grep -qsxF "S[\"HAVE_$1_TRUE\"]=\"#\"" config.status
}

# Lines MODULE U|D SYMBOL of all modules of lib/; lines of those that were not
# built go to $scratch/missing.
symbols() {
    local source module room object objects=()
    : >"$scratch/missing"
    for source in "$srcdir"/lib/*/*.c; do
        module=${source#"$srcdir"/lib/}
        module=${module%.c}
        if [ "$module" = fuse/memory ]; then continue; fi # a C library's functions, for one program
        room=${module%%/*}
        if is_left_out "${room^^}" || { [ "$module" = layer/gzip-isal ] && is_left_out ISAL; }; then continue; fi
        if object=$(object_of "$module"); then
            objects+=("$object")
        elif [ -e bin/coracle-fuse ] || [[ $module != fuse/* && $module != squash/* && $module != unpack/* ]]; then
            echo "$module is not built" >>"$scratch/missing"
        fi
    done
    nm -A -g "${objects[@]}" |
        sed -nE 's,^lib/([^:]*/)(libcoracle_light_a|libimages_a|bin_coracle_broker|bin_coracle_fuse)-([^:]*)\.o:.* ([A-Za-z]) ([^ ]+)$,\1\3 \4 \5,p' |
        awk '{ print $1, $2 ~ /[Uw]/ ? "U" : "D", $3 }'
}

symbols >"$scratch/symbols"
tap_result "every module is built" "$(cat "$scratch/missing")"
tap_result "the pure rooms reach nothing that acts" "$(awk -v REPORT=breaches -f "$awk" "$table" "$scratch/symbols" | sort)"
tap_result "every row of the table is needed" "$(awk -v REPORT=unused -f "$awk" "$table" "$scratch/symbols" | sort)"
tap_done
