#!/bin/bash
# What bin/image-progress.h shows: on terminals of all sizes, and as events.
set -euo pipefail

here=${srcdir:-.}/test/images
if ! command -v python3 >/dev/null; then
    echo '1..0 # SKIP python3 is not installed'
    exit
fi
export REGISTRY_CLIENT=$PWD/test/images/progress-show PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/progress.py" "$@"
