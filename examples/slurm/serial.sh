#!/bin/bash
# One task on one node.
#
#     sbatch serial.sh IMAGE
#SBATCH --job-name=serial
#SBATCH --ntasks=1
#SBATCH --time=00:05:00

srun coracle run "$1" -- /usr/bin/python3 -c '
import os, platform
print("Python", platform.python_version(), "on", platform.node(), "in job", os.environ["SLURM_JOB_ID"])
'
