#!/bin/bash
# Images and registries that mean harm, by the command lines of coracle. One alone:
# bash pull.sh PIECE-OF-ITS-NAME. With CORACLE_TEST_LONG=1 also what takes minutes.
set -euo pipefail

here=${srcdir:-.}/test/images
if ! command -v python3 >/dev/null; then
    echo "1..0 # SKIP python3 is not installed"
    exit
fi
if [ ! -x bin/coracle-image ]; then
    echo "1..0 # SKIP coracle-image was not built: configure found no libraries for it"
    exit
fi
export REGISTRY_CLIENT=$PWD/bin/coracle PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/pull.py" "$@"
