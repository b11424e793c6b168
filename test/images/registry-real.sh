#!/bin/bash
# lib/registry against Debian's docker-registry, with TLS and a file of passwords, filled by skopeo.
set -euo pipefail

here=${srcdir:-.}/test/images
for program in python3 openssl docker-registry skopeo htpasswd; do
    if ! command -v "$program" >/dev/null; then
        echo "1..0 # SKIP $program is not installed (Debian: docker-registry skopeo apache2-utils openssl python3)"
        exit
    fi
done
export REGISTRY_CLIENT=$PWD/test/images/registry-client PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/registry_real.py" "$@"
