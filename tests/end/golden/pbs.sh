#!/bin/bash
#PBS -N queue
#PBS -l select=2:ncpus=2:mpiprocs=2:mem=400mb
#PBS -l walltime=01:30:00
#PBS -A physics
#PBS -q fast
#PBS -j oe
#PBS -o queue.h5.log.queue
#PBS -r y
# a line of the site's own

# PBS sends TERM when the time is over, and KILL some seconds later: `run` stops by itself before that.
part=
submit_anew() {
  local id
  id=$(qsub "$1" | tail -n 1) && echo "pbs $id 1" >>queue.h5.job
}
# Where users may not qrerun, a new job takes the place of this one.
requeue() {
  qrerun "$PBS_JOBID" 2>/dev/null || submit_anew queue.h5.job.sh
}

set -uo pipefail
cd /home/user || exit 3
exec >>queue.h5.log 2>&1
module load openmpi/4.1
module load hdf5
export SITE_IS_SET=1
export OPENBLAS_NUM_THREADS=1
# A kernel that ebrsweep chose for the login node's processor is none for the compute node's; one that you chose stays.
[ -z "${EBRSWEEP_CHOSE_KERNEL:-}" ] || unset OPENBLAS_CORETYPE EBRSWEEP_CHOSE_KERNEL
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
results=queue.h5
[ -n "$part" ] && results=${results%.h5}.part-$part.h5
rounds_file=$results.rounds

# The launcher passes USR1 on to the ranks, which keep checkpoints and stop. TERM without a warning before is somebody who wants
# the job to end.
child='' warned='' cancelled=''
pass_on() { [ -z "$child" ] || kill -USR1 "$child" 2>/dev/null; }
trap 'warned=yes; pass_on' USR1 USR2
trap '[ -n "$warned" ] || cancelled=yes; pass_on' TERM

finished_runs() {
  /opt/bin/ebrsweep status "$results" --json 2>/dev/null | grep -oE '"(done|failed)": [0-9]+' |
    awk '{ sum += $2 } END { print sum + 0 }'
}

before=$(finished_runs)
mpirun -n 4 /opt/bin/ebrsweep run queue.yaml -o "$results" --walltime 90m --set train.rate=2e-3 ${part:+--part $part/1} &
child=$!
while :; do
  wait "$child" # returns early when a trap is called
  kill -0 "$child" 2>/dev/null || break
done
wait "$child"
code=$?

if [ -n "$cancelled" ]; then
  echo "ebrsweep: told to end: not put back into the queue; a new submission goes on" >&2
  rm -f "$rounds_file"
  exit "$code"
fi
if [ "$code" -ne 75 ]; then
  rm -f "$rounds_file"
  exit "$code"
fi
rounds=$(cat "$rounds_file" 2>/dev/null || echo 0)
if [ "$(finished_runs)" -gt "$before" ]; then rounds=0; else rounds=$((rounds + 1)); fi
if [ "$rounds" -ge 3 ]; then
  echo "ebrsweep: $rounds rounds without a finished run: not put back into the queue" >&2
  rm -f "$rounds_file"
  exit 75
fi
echo "$rounds" >"$rounds_file"
echo "ebrsweep: runs are left: back into the queue" >&2
requeue
