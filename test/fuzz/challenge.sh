#!/bin/bash
# Gives the corpus of WWW-Authenticate to its fuzz target.
set -euo pipefail

exec test/fuzz/challenge "${srcdir:-.}"/test/fuzz/corpus/challenge/*
