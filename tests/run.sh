#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. The last lines are CTest's summary.
#   bash tests/run.sh [options of ctest, such as -L unit or -R store]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash jobs/setup.sh build analysis tests
# shellcheck source=jobs/machine.sh
source jobs/machine.sh

build() {
  cmake --preset "$1" -DEBR_TESTS=ON >build/"$1".log 2>&1 || { cat build/"$1".log; exit 1; }
  cmake --build --preset "$1" -j "$(nproc)" "${@:2}" || exit 1
}

mkdir -p build
build release
# Tests that ask for training in double (end-double runs them) are built here, where all cores are free.
mapfile -t doubles < <(grep -ls EBR_TRAIN_DOUBLE tests/unit/*.c | xargs -r -n 1 basename -s .c)
[ "${#doubles[@]}" -eq 0 ] || build f64 --target "${doubles[@]}"

exec ctest --preset release -j "$(nproc)" "$@"
