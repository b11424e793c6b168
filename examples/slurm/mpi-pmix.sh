#!/bin/bash
# Open MPI of the image; srun starts the ranks and connects them through PMIx.
#
#     coracle run IMAGE -- /usr/bin/mpicc -O2 -o mpihello mpihello.c
#     sbatch mpi-pmix.sh IMAGE ./mpihello
#SBATCH --job-name=mpi-pmix
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --time=00:05:00

image=$1
shift
srun --mpi=pmix coracle run "$image" -- "$@"
