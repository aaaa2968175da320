#!/usr/bin/env bash
# Which lines of src/ the tests reach: builds the preset coverage, runs the tests that reach most for their time, and prints
# a table by module. Ends with 1 below 85 %. No counts come from a rank that was killed.
#   tests/coverage.sh [--all] [--missed MODULE]      --all: every test of one process, of ranks, and of the shell
set -euo pipefail
source=${SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
build=$source/build/coverage
tests='^(unit-|fuzz-|mpi-.*-2$|end-(claims|commands|convert_checkpoint|hostile|law|merge|submit|teams)$)'
if [ "${1-}" = --all ]; then
  shift
  tests='^(unit|fuzz|mpi|end)-'
fi
cores=${CORES:-2}
cd "$source"
unset BUILD EBRSWEEP # another build's, when this is one of its tests
mkdir -p "$build"

targets=(ebrsweep_program)
for file in tests/{unit,mpi}/*.c; do
  name=${file#tests/}
  targets+=("$(tr / - <<<"${name%.c}")")
done
for harness in $(sed -n 's/^set(EBR_HARNESSES \(.*\))$/\1/p' tests/CMakeLists.txt); do
  targets+=("fuzz-$harness")
done
run() {
  if ! "$@" >"$build/coverage.log" 2>&1; then
    tail -n 60 "$build/coverage.log"
    echo "coverage: $1 failed; its output is in $build/coverage.log" >&2
    exit 1
  fi
}
run cmake --preset coverage
run cmake --build --preset coverage -j "$cores" --target "${targets[@]}"
find "$build" -name '*.gcda' -delete
run ctest --preset coverage -j "$cores" -R "$tests"
"${PYTHON:-/usr/bin/python3}" tests/coverage.py "$build" "$@" | tee "$build/coverage.txt"
