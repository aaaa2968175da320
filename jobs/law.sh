#!/usr/bin/env bash
# Does collision grow quadratically? Trains the sweeps that ask (7920 small networks, ten minutes on two cores) and prints
# the table that README.md and doc/law.md show. Needs a build: jobs/demo.sh makes one.
#   bash jobs/law.sh [quadratic-dense | quadratic-sparse | quadratic-capacity]...
# Run again, it goes on where it was stopped, or finds nothing left to do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=jobs/machine.sh
source jobs/machine.sh
# shellcheck source=jobs/train.sh
source jobs/train.sh

mkdir -p results
[ $# -gt 0 ] || set -- quadratic-dense quadratic-sparse quadratic-capacity
for sweep; do
  train "$sweep"
  printf '\n### %s\n\n' "$sweep"
  ranks law "results/$sweep.h5" --markdown
  ranks law "results/$sweep.h5" --json >"results/$sweep.law.json"
done
printf '\n### All regimes\n\n'
answers=("${@/#/results/}")
"$python" analysis/law_table.py "${answers[@]/%/.law.json}"
