#!/bin/bash
# Gives the corpus of layers to its fuzz target.
set -euo pipefail

exec test/fuzz/layers "${srcdir:-.}"/test/fuzz/corpus/layers/*
