#!/bin/bash
# A shell in an image on a compute node; the job ends with it.
#
#     ./interactive.sh IMAGE [OPTION OF SRUN...]
#
# Another shell in the same container, from the same node:
#
#     coracle exec JOB
image=${1:?usage: interactive.sh IMAGE [OPTION OF SRUN...]}
shift
exec srun --job-name=interactive --ntasks=1 --time=01:00:00 "$@" --pty coracle shell "$image"
