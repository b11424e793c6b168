#!/bin/bash
# Gives the corpus of references to its fuzz target.
set -euo pipefail

exec test/fuzz/reference "${srcdir:-.}"/test/fuzz/corpus/reference/*
