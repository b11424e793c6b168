#!/bin/bash
# Gives the corpus of archives to its fuzz target.
set -euo pipefail

exec test/fuzz/archive "${srcdir:-.}"/test/fuzz/corpus/archive/*
