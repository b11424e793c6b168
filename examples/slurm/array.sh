#!/bin/bash
# The same program for many inputs: each task of the array takes one.
#
#     sbatch array.sh IMAGE
#SBATCH --job-name=array
#SBATCH --array=1-4
#SBATCH --ntasks=1
#SBATCH --time=00:05:00

srun coracle run "$1" -- /usr/bin/python3 -c '
import os
number = int(os.environ["SLURM_ARRAY_TASK_ID"])
print("input", number, "gives", sum(range(number + 1)))
'
