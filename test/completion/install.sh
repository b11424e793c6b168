#!/bin/bash
# Where `make install` puts completion: below the prefix, where the shells look for it, and nowhere else.
set -euo pipefail
. "$(dirname "$0")/../lint/tap.bash"

# installed VARIABLE=VALUE...: the files that are installed so.
installed() {
    rm -rf "$scratch/root"
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s install-completion "DESTDIR=$scratch/root" "$@" >&2
    (cd "$scratch/root" && find . -type f -printf '/%P\n' | LC_ALL=C sort)
}

make -s bin/completion/stamp >&2
if [ -z "$(ls bin/completion/made)" ]; then tap_skip_all "coracle was built for another machine"; fi
tap_result "below a home directory" "$(diff <(printf '%s\n' \
    /home/alice/.local/share/bash-completion/completions/coracle \
    /home/alice/.local/share/fish/vendor_completions.d/coracle.fish \
    /home/alice/.local/share/zsh/site-functions/_coracle) <(installed prefix=/home/alice/.local) || true)"
tap_result "where a distribution says" "$(diff <(printf '%s\n' /a/coracle /b/_coracle /c/coracle.fish) \
    <(installed bashcompletiondir=/a zshcompletiondir=/b fishcompletiondir=/c) || true)"
installed prefix=/usr >"$scratch/files"
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s uninstall-completion "DESTDIR=$scratch/root" prefix=/usr >&2
tap_result "make uninstall takes it away" "$(find "$scratch/root" -type f)"
tap_done
