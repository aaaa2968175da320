#!/bin/bash
#$ -N queue
#$ -S /bin/bash
#$ -cwd
#$ -pe mpi 4
#$ -l h_rt=01:30:00
#$ -l s_rt=01:29:00
#$ -l mem_free=200M
#$ -A physics
#$ -q fast
#$ -j y
#$ -o queue.h5.log
#$ -r y
#$ -notify
# a line of the site's own

part=${SGE_TASK_ID:-}
[ "$part" = undefined ] && part=
# Grid Engine puts a job whose script ends with 99 back into the queue.
requeue() {
  exit 99
}

set -uo pipefail
cd /home/user || exit 3
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
