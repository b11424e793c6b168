#!/bin/bash
# coracle login and logout against registries that the test makes, and on terminals.
set -euo pipefail

here=${srcdir:-.}/test/images
for program in python3 openssl; do
    if ! command -v "$program" >/dev/null; then
        echo "1..0 # SKIP $program is not installed"
        exit
    fi
done
if [ ! -x bin/coracle-image ]; then
    echo "1..0 # SKIP coracle-image was not built: configure found no libraries for it"
    exit
fi
export REGISTRY_CLIENT=$PWD/bin/coracle-image PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/login.py" "$@"
