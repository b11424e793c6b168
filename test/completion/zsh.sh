#!/bin/bash
# Completion in zsh, at a terminal that the test makes.
set -euo pipefail
. "$(dirname "$0")/../lint/tap.bash"
if ! command -v zsh >/dev/null; then tap_skip_all "zsh is not installed"; fi
here=$(cd "$(dirname "$0")" && pwd)
. "$(dirname "$0")/cases.bash"

mkdir "$scratch/zsh"
offers() {
    zsh -f "$here/offers.zsh" "$made" "$scratch/zsh"
}
completion_cases
tap_done
