#!/bin/bash
# Completion in bash: what its function offers, also found and loaded by bash-completion.
set -euo pipefail
. "$(dirname "$0")/../lint/tap.bash"
here=$(cd "$(dirname "$0")" && pwd)
. "$(dirname "$0")/cases.bash"

offers() {
    bash --norc "$here/offers.bash" "$made/coracle"
}
completion_cases

# offered LINE: once more, with a rule of ours for what readline does.
offered() {
    offers <<<"$1" | cut -f 2
}
tap_result "a value behind =" "$(diff <(echo always) <(offered 'coracle run --pull=a') || true)"
tap_result "a name with a colon: what is behind it" "$(diff <(echo 12) <(offered 'coracle run docker.io/library/debian:1') || true)"
tap_result "a path behind a colon" "$(diff <(echo folder) <(offered 'coracle run --bind /tmp:f') || true)"

if [ -e /usr/share/bash-completion/bash_completion ]; then
    mkdir -p "$scratch/data/bash-completion/completions"
    cp "$made/coracle" "$scratch/data/bash-completion/completions"
    tap_result "bash-completion finds it by its name" "$(diff <(echo "complete -F _coracle coracle") <(
        XDG_DATA_HOME=$scratch/data bash --norc -c '. /usr/share/bash-completion/bash_completion
            __load_completion coracle && complete -p coracle' 2>&1) || true)"
else
    tap_skip "bash-completion finds it by its name" "bash-completion is not installed"
fi
tap_done
