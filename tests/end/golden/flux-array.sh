#!/bin/bash
#flux: --job-name=queue
#flux: --nodes=1
#flux: --nslots=2
#flux: --cores-per-slot=1
#flux: --time-limit=45m
#flux: --output=queue.h5.part-2.log.queue
#flux: --signal=SIGUSR1@60s

part=2
# The script is the first program of a Flux of its own: only the parent's queue outlives it.
submit_anew() {
  local id
  id=$(flux --parent batch "$1" | tail -n 1) && echo "flux $id 2" >>queue.h5.job
}
requeue() {
  submit_anew queue.h5.job-2.sh
}

set -uo pipefail
cd /home/user || exit 3
exec >>queue.h5.part-2.log 2>&1
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
flux run -n 2 /opt/bin/ebrsweep run queue.yaml -o "$results" --walltime 45m ${part:+--part $part/2} &
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
  touch "$results.finished"
  for one in {1..2}; do [ -e queue.part-$one.h5.finished ] || exit "$code"; done
  mkdir queue.h5.merging 2>/dev/null && submit_anew queue.h5.after.sh
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
