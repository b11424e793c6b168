#!/bin/bash
# Gives all cases to the golden test of the planner; one alone:
#     test/golden/plan SRCDIR/test/golden/cases/NAME
set -euo pipefail

exec test/golden/plan "${srcdir:-.}"/test/golden/cases/*/
