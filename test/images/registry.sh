#!/bin/bash
# lib/registry against registries that the test makes: hostile.py, and Debian's
# docker-registry. One alone: bash registry.sh PIECE-OF-ITS-NAME
set -euo pipefail

here=${srcdir:-.}/test/images
for program in python3 openssl; do
    if ! command -v "$program" >/dev/null; then
        echo "1..0 # SKIP $program is not installed"
        exit
    fi
done
export REGISTRY_CLIENT=$PWD/test/images/registry-client PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/registry.py" "$@"
