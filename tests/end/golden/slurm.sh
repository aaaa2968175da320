#!/bin/bash
#SBATCH --job-name=queue
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=200M
#SBATCH --time=01:30:00
#SBATCH --account=physics
#SBATCH --partition=fast
#SBATCH --output=queue.h5.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@60
# a line of the site's own

part=${SLURM_ARRAY_TASK_ID:-}
requeue() {
  local job=$SLURM_JOB_ID
  [ -n "$part" ] && job=${SLURM_ARRAY_JOB_ID}_$part
  scontrol requeue "$job"
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
