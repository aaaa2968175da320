#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. The last lines are CTest's summary.
#   bash tests/run.sh [options of ctest, such as -L unit or -R store]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash jobs/setup.sh build analysis tests
# shellcheck source=jobs/machine.sh
source jobs/machine.sh

mkdir -p build
if ! { cmake --preset release -DEBR_TESTS=ON && cmake --build --preset release -j "$cores"; } >build/tests.log 2>&1; then
  tail -n 100 build/tests.log
  echo "tests: the build failed; all of its output is in build/tests.log" >&2
  exit 1
fi
exec ctest --preset release -j "$cores" "$@"
