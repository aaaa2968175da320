#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. The last lines are CTest's summary.
#   bash tests/run.sh [options of ctest, such as -L unit or -R store]
#   COVERAGE=0 FUZZERS=0 bash tests/run.sh      without the table of how much of src/ the tests reach, and without a minute of
#                                               each fuzzer: some minutes less
#   CHECKERS=1 bash tests/run.sh -L checkers    clang-tidy and Valgrind: a quarter of an hour
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
groups=(build analysis tests)
[ "${CHECKERS:-0}" = 0 ] || groups+=(checkers)
bash jobs/setup.sh "${groups[@]}"
# shellcheck source=jobs/machine.sh
source jobs/machine.sh

mkdir -p build
build() {
  cmake --preset release -DEBR_TESTS=ON -DEBR_TEST_COVERAGE="${COVERAGE:-1}" -DEBR_TEST_FUZZERS="${FUZZERS:-1}" \
    -DEBR_TEST_CHECKERS="${CHECKERS:-0}" &&
    cmake --build --preset release -j "$cores"
}
if ! build >build/tests.log 2>&1; then
  tail -n 100 build/tests.log
  echo "tests: the build failed; all of its output is in build/tests.log" >&2
  exit 1
fi
rm -f build/coverage/coverage.txt
# Two more than there are cores: most tests wait for processes that start, for queues or for files a third of their time.
ctest --preset release -j "$((cores + 2))" "$@" |
  awk -v table=build/coverage/coverage.txt \
    '/^[0-9]+% tests passed/ { while ((getline line < table) > 0) print line; print "" } { print; fflush() }'
