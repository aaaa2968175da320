#!/usr/bin/env bash
# First light: installs what is missing, builds, trains some 300 small networks on all cores, and shows what was found.
#   bash jobs/demo.sh
# Run again, it goes on where it was stopped, or finds nothing left to do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() { printf '\n== %s\n' "$*"; }

step "1/5 Packages (installs what is missing; this can take minutes the first time)"
bash jobs/setup.sh build analysis
# shellcheck source=jobs/machine.sh
source jobs/machine.sh

step "2/5 Building build/release/ebrsweep"
mkdir -p build results/data
tests=()
pkg-config --exists cmocka || tests=(-DEBR_TESTS=OFF)
if ! { cmake --preset release "${tests[@]}" && cmake --build --preset release --target ebrsweep_program; } \
  >build/demo.log 2>&1; then
  tail -n 40 build/demo.log
  echo "The build failed; all of its output is in build/demo.log." >&2
  exit 3
fi
build/release/ebrsweep --version

step "3/5 Data: the 1797 handwritten digits that come with scikit-learn, cut into 4 and into 8 patches"
for patches in 4 8; do
  data=results/data/digits-$patches.h5
  [ -e "$data" ] || "$python" analysis/convert_digits.py --patches "$patches" -o "$data"
  echo "$data"
done

step "4/5 Training: sweeps/demo.yaml on $cores ranks (Ctrl-C stops; the same command goes on)"
outcome=0
mpirun -n "$cores" --bind-to none --oversubscribe \
  build/release/ebrsweep run sweeps/demo.yaml -o results/demo.h5 || outcome=$?
case $outcome in
  0) ;;
  1) echo "Some runs failed; their reasons are in the table below. The others count." ;;
  75) echo "Stopped with work left: the same command goes on." ; exit 75 ;;
  *) exit "$outcome" ;;
esac

step "5/5 What was found: mean over seeds"
build/release/ebrsweep show results/demo.h5 --by data.source,data.modalities,method,ebr.lambda
"$python" analysis/report.py results/demo.h5 -o results/demo.html
cat <<END

The page with figures   results/demo.html   (open it in a browser)
All numbers             results/demo.h5     (ebrsweep show, h5py, pandas: see README.md)
What was asked          sweeps/demo.yaml    (copy it for a sweep of your own)
END
exit "$outcome"
