#!/bin/bash
#PBS -N queue-after
#PBS -l select=1:ncpus=1:mpiprocs=1:mem=200mb
#PBS -l walltime=01:00:00
#PBS -j oe
#PBS -o queue.h5.after.log.queue
#PBS -r y

set -uo pipefail
cd /home/user || exit 3
exec >>queue.h5.after.log 2>&1
/opt/bin/ebrsweep merge --force queue.h5 queue.part-*.h5 || exit
python3 /opt/share/analysis/report.py queue.h5 -o queue.html
rm -rf queue.part-*.h5.finished queue.h5.merging
