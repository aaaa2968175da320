#!/bin/bash
#BSUB -J "queue-after"
#BSUB -n 1
#BSUB -R "span[ptile=1] rusage[mem=200MB]"
#BSUB -W 60
#BSUB -o queue.h5.after.log
#BSUB -r
#BSUB -wa USR1 -wt 1

set -uo pipefail
cd /home/user || exit 3
/opt/bin/ebrsweep merge --force queue.h5 queue.part-*.h5 || exit
python3 /opt/share/analysis/report.py queue.h5 -o queue.html
