#!/bin/bash
#SBATCH --job-name=queue-after
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=200M
#SBATCH --time=01:00:00
#SBATCH --output=queue.h5.after.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@60

set -uo pipefail
cd /home/user || exit 3
/opt/bin/ebrsweep merge --force queue.h5 queue.part-*.h5 || exit
python3 /opt/share/analysis/report.py queue.h5 -o queue.html
