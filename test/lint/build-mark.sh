#!/bin/bash
# The mark of a build: every program has it, it is the same wherever sources are, and another as soon
# as one of them is.
set -euo pipefail
. "$(dirname "$0")/tap.bash"

mark() {
    (cd / && sh "$1/bin/build-mark.sh" "$1" "$(cd "$build" && make_variable PACKAGE_VERSION)") | sed -n 's/.*"\(.*\)".*/\1/p'
}

build=$PWD
source=$(cd "$srcdir" && pwd)
now=$(mark "$source")

for program in bin/coracle bin/coracle-*; do
    case $program in *.*) continue ;; esac
    tap_result "$program has the mark of these sources" \
        "$(strings "$program" | grep '^coracle build mark [^ ]* ' | diff - <(echo "$now") || true)"
done

mkdir "$scratch/elsewhere"
cp -r "$source/lib" "$source/bin" "$scratch/elsewhere/"
touch "$scratch/elsewhere/lib/base/editor.c~"
tap_result "it is the same elsewhere" \
    "$(LC_ALL=C.UTF-8 mark "$scratch/elsewhere" | diff - <(echo "$now") || true)"
for file in lib/base/errors.def lib/share/message.h bin/coracle.c; do
    echo >>"$scratch/elsewhere/$file"
    then=$(mark "$scratch/elsewhere")
    tap_result "it is another with another $file" "$([[ $then != "$now" ]] || echo "$now")"
    now=$then
done
mv "$scratch/elsewhere/lib/base/num.c" "$scratch/elsewhere/lib/base/number.c"
tap_result "it is another with another name" "$([[ $(mark "$scratch/elsewhere") != "$now" ]] || echo "$now")"

tap_done
