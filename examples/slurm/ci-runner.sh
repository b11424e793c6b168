#!/bin/bash
# What a CI runner without any privilege does for each job: a clean environment, no
# home directory, nothing of the host but the checkout and a /tmp of its own.
#
#     ./ci-runner.sh IMAGE CHECKOUT COMMAND [ARG...]
#     sbatch --ntasks=1 --wait ci-runner.sh IMAGE CHECKOUT make check
#
# The status is the command's. What is written outside of CHECKOUT is lost.
#SBATCH --job-name=ci
#SBATCH --time=00:30:00

image=${1:?usage: ci-runner.sh IMAGE CHECKOUT COMMAND [ARG...]}
checkout=$(realpath "${2:?usage: ci-runner.sh IMAGE CHECKOUT COMMAND [ARG...]}")
shift 2
exec coracle run --clean-env --no-home --tmpfs /tmp --bind "$checkout:/src" --workdir /src \
    --env HOME=/tmp --env CI=true "$image" -- "$@"
