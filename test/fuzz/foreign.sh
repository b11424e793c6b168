#!/bin/bash
# Gives the corpus of other systems' files to its fuzz target.
set -euo pipefail

exec test/fuzz/foreign "${srcdir:-.}"/test/fuzz/corpus/foreign/*
