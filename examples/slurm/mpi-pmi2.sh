#!/bin/bash
# MPICH of the image, or one that descends from it; srun connects the ranks through PMI-2.
#
#     coracle run IMAGE -- /usr/bin/mpicc.mpich -O2 -o mpihello mpihello.c
#     sbatch mpi-pmi2.sh IMAGE ./mpihello
#SBATCH --job-name=mpi-pmi2
#SBATCH --nodes=1
#SBATCH --ntasks=4
#SBATCH --time=00:05:00

image=$1
shift
srun --mpi=pmi2 coracle run "$image" -- "$@"
