#!/bin/bash
# Few ranks with many threads each. Slurm binds a rank to its CPUs, and OpenMP
# counts those: the container changes nothing of that.
#
#     coracle run IMAGE -- /usr/bin/mpicc -O2 -fopenmp -o hybrid hybrid.c
#     sbatch hybrid.sh IMAGE ./hybrid
#SBATCH --job-name=hybrid
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=2
#SBATCH --time=00:05:00

image=$1
shift
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
srun --mpi=pmix --cpus-per-task="$SLURM_CPUS_PER_TASK" coracle run "$image" -- "$@"
