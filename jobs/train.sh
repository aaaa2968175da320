#!/usr/bin/env bash
# Trains a shipped sweep on all cores of this machine. Sourced, not run, behind machine.sh.
#   train SWEEP     sweeps/SWEEP.yaml -> results/SWEEP.h5; goes on where it was stopped. Answers 0, or 1 when some runs failed
#                   (they diverged: the others count); ends the script when it was stopped (75) or could not work at all.
program=build/release/ebrsweep
# shellcheck disable=SC2154  # cores: machine.sh
launcher=(mpirun -n "$cores" --bind-to none --oversubscribe)
# In a job: as many ranks as it was given.
[ -z "${SLURM_JOB_ID:-}${PBS_JOBID:-}" ] || launcher=(mpirun --bind-to none)
ranks() { "${launcher[@]}" "$program" "$@"; }

train() {
  local code=0
  ranks run "sweeps/$1.yaml" -o "results/$1.h5" || code=$?
  # Open MPI's mpirun answers 1 as well when a signal ends it.
  if [ "$code" -eq 1 ] && ! "$program" status "results/$1.h5" --json | grep -q '"waiting": 0, "running": 0'; then code=75; fi
  [ "$code" -le 1 ] || exit "$code"
  return "$code"
}
