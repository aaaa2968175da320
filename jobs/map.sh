#!/usr/bin/env bash
# Where does EBR win? Trains 40000 small networks over a box of conditions (about a quarter of an hour on one core), says which
# conditions decide, draws the map, and confirms the best points on fresh seeds and on mfeat. Needs a build (jobs/demo.sh makes
# one) and the raw data (doc/datasets.md says where it comes from; EBR_DATA names its folder). doc/map.md shows what comes out.
#   bash jobs/map.sh
# Run again, it goes on where it was stopped, or only writes its tables again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=jobs/machine.sh
source jobs/machine.sh
# shellcheck source=jobs/train.sh
source jobs/train.sh

data=${EBR_DATA:-../shared/data}
[ -x "$program" ] || { echo "There is no $program: jobs/demo.sh builds it." >&2; exit 3; }

mkdir -p results/data
[ -e results/data/mfeat.h5 ] || "$python" analysis/convert_mfeat.py "$data/mfeat" -o results/data/mfeat.h5
# Runs that diverged are counted by the tables.
train where-ebr-wins || true
"$python" analysis/sensitivity.py results/where-ebr-wins.h5 --markdown --figure results/where-ebr-wins.png \
  --confirm sweeps/where-ebr-wins-confirm.yaml >results/where-ebr-wins.md
train where-ebr-wins-confirm || true
for measure in test_accuracy test_loss; do
  printf '\n\n### Confirmation: %s\n\n' "$measure"
  "$python" analysis/confirm.py results/where-ebr-wins-confirm.h5 --measure "$measure"
done >>results/where-ebr-wins.md
cat results/where-ebr-wins.md
printf '\nThe tables   results/where-ebr-wins.md\nThe map      results/where-ebr-wins.png\n'
