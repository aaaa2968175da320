#!/usr/bin/env bash
# Every figure and table of the paper: converts the real data, trains all sweeps (some 65000 small networks, most of an hour
# on two cores), and prints what held: the claims, the law (jobs/law.sh), where EBR wins (jobs/map.sh). Needs a build
# (jobs/demo.sh makes one) and the raw data (doc/datasets.md says where it comes from; EBR_DATA names its folder).
#   bash jobs/reproduce.sh [SWEEP...]        e.g. figure-6-convergence; all by default
#   sbatch -N 1 --exclusive -t 60 jobs/reproduce.sh [SWEEP...]        from the checkout; puts itself back until all is done
# Run again, it goes on where it was stopped, or finds nothing left to do.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")/..
# Schedulers run a copy of their own, in the folder of the submission.
[ -e "$here/jobs/machine.sh" ] || here=${SLURM_SUBMIT_DIR:-${PBS_O_WORKDIR:-.}}
cd "$here"
# shellcheck source=jobs/machine.sh
source jobs/machine.sh
# shellcheck source=jobs/train.sh
source jobs/train.sh

put_back() {
  local code=$?
  if [ "$code" -eq 75 ] && [ -n "${SLURM_JOB_ID:-}" ]; then
    scontrol requeue "$SLURM_JOB_ID" || true
    sleep 60 # until Slurm ends this round
  fi
}
trap put_back EXIT

data=${EBR_DATA:-../shared/data}
claims=(figure-1-interference figure-3-rank figure-4-modalities figure-4-orders figure-5-strength figure-6-convergence
  figure-7-noise table-1-missing table-1-audio table-2-agnostic order-of-distillation)
sweeps=("$@")
[ $# -gt 0 ] || sweeps=("${claims[@]}" mfeat avmnist)

[ -x "$program" ] || { echo "There is no $program: jobs/demo.sh builds it." >&2; exit 3; }
mkdir -p results/data
for set in mfeat avmnist; do
  [ -e "results/data/$set.h5" ] || "$python" "analysis/convert_$set.py" "$data/$set" -o "results/data/$set.h5"
done

outcome=0
for sweep in "${sweeps[@]}"; do
  train "$sweep" || outcome=1
done

made=()
for sweep in "${claims[@]}"; do
  [ ! -e "results/$sweep.h5" ] || made+=("results/$sweep.h5")
done
if [ ${#made[@]} -gt 0 ]; then
  "$program" claims "${made[@]}" --summary
  "$program" claims "${made[@]}" --markdown >results/claims.md
  "$python" analysis/report.py "${made[@]}" -o results/claims.html
  printf '\nThe verdicts   results/claims.md\nWith figures   results/claims.html\n'
fi
if [ $# -eq 0 ]; then
  bash jobs/law.sh >results/law.md
  bash jobs/map.sh >/dev/null
  printf 'The law        results/law.md\nWhere EBR wins results/where-ebr-wins.md, results/where-ebr-wins.png\n'
fi
exit "$outcome"
