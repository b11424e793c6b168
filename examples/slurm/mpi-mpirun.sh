#!/bin/bash
# Open MPI's own mpirun, the host's, in the nodes of the job: for a Slurm without PMIx.
# mpirun and the image's Open MPI have to be of versions that understand each other.
#
#     coracle run IMAGE -- /usr/bin/mpicc -O2 -o mpihello mpihello.c
#     sbatch mpi-mpirun.sh IMAGE ./mpihello
#SBATCH --job-name=mpi-mpirun
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --time=00:05:00

image=$1
shift
mpirun coracle run "$image" -- "$@"
