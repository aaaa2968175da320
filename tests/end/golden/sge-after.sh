#!/bin/bash
#$ -N queue-after
#$ -S /bin/bash
#$ -cwd
#$ -pe mpi 1
#$ -l h_rt=01:00:00
#$ -l s_rt=00:59:00
#$ -l mem_free=200M
#$ -j y
#$ -o queue.h5.after.log
#$ -r y
#$ -notify

set -uo pipefail
cd /home/user || exit 3
/opt/bin/ebrsweep merge --force queue.h5 queue.part-*.h5 || exit
python3 /opt/share/analysis/report.py queue.h5 -o queue.html
