#!/bin/bash
# Gives 200 mutants of each image of the corpus to its fuzz target.
set -euo pipefail

exec test/fuzz/mutants "${srcdir:-.}"/test/fuzz/corpus/squash/*.squashfs
