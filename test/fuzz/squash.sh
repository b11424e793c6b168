#!/bin/bash
# Gives the corpus of images to their fuzz target.
set -euo pipefail

exec test/fuzz/squash "${srcdir:-.}"/test/fuzz/corpus/squash/*
