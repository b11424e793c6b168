#!/bin/bash
# Gives the corpus of the image configuration to its fuzz target.
set -euo pipefail

exec test/fuzz/image-config "${srcdir:-.}"/test/fuzz/corpus/image-config/*
