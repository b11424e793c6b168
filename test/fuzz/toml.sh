#!/bin/bash
# Gives the corpus of TOML texts to its fuzz target.
set -euo pipefail

exec test/fuzz/toml "${srcdir:-.}"/test/fuzz/corpus/toml/*
