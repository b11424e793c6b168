#!/bin/bash
# Gives the corpus of manifests and indexes to its fuzz target.
set -euo pipefail

exec test/fuzz/manifest "${srcdir:-.}"/test/fuzz/corpus/manifest/*
