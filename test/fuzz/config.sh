#!/bin/bash
# Gives the corpus of configuration files to its fuzz target.
set -euo pipefail

exec test/fuzz/config "${srcdir:-.}"/test/fuzz/corpus/config/* "${srcdir:-.}"/examples/coracle.toml
