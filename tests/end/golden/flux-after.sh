#!/bin/bash
#flux: --job-name=queue-after
#flux: --nodes=1
#flux: --nslots=1
#flux: --cores-per-slot=1
#flux: --time-limit=60m
#flux: --output=queue.h5.after.log.queue
#flux: --signal=SIGUSR1@60s

set -uo pipefail
cd /home/user || exit 3
exec >>queue.h5.after.log 2>&1
/opt/bin/ebrsweep merge --force queue.h5 queue.part-*.h5 || exit
python3 /opt/share/analysis/report.py queue.h5 -o queue.html
rm -rf queue.part-*.h5.finished queue.h5.merging
