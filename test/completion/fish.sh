#!/bin/bash
# Completion in fish: what `complete -C` prints, with the file where an installation puts it.
set -euo pipefail
. "$(dirname "$0")/../lint/tap.bash"
if ! command -v fish >/dev/null; then tap_skip_all "fish is not installed"; fi
. "$(dirname "$0")/cases.bash"

mkdir -p "$scratch/data/fish/vendor_completions.d" "$scratch/home"
cp "$made/coracle.fish" "$scratch/data/fish/vendor_completions.d"

offers() {
    # shellcheck disable=SC2016 # expanded by fish
    HOME=$scratch/home XDG_CONFIG_HOME=$scratch/home XDG_DATA_HOME=$scratch/home \
        XDG_DATA_DIRS=$scratch/data:/usr/local/share:/usr/share fish -c '
        while read -l --delimiter \n line
            for offer in (complete -C "$line" | string replace -r "\t.*" "")
                printf "%s\t%s\n" "$line" "$offer"
            end
        end'
}
completion_cases
tap_done
