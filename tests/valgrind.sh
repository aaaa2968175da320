#!/usr/bin/env bash
# Valgrind's memcheck over a selection: unit tests, tests of ranks at two of them, and the program from the shell. Any read of
# what was not written, any access out of bounds and any block that is lost ends it with 1, unless it is a library's own
# (Open MPI's list, and tests/valgrind.supp). Builds the preset valgrind first.
#   bash tests/valgrind.sh [REGEX]      only what has such a name, such as 'unit-' or 'program-law'
set -euo pipefail
source=${SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
build=$source/build/valgrind wanted=${1:-.}
unit="base-base data-samples data-split data-synthetic law-allocation measure-angles measure-missing measure-ranks
  measure-schema measure-sharing measure-similarity run-alone run-execute sweep-errors
  sweep-expand sweep-parameters train-trainer"
mpi="base-agree library-errors library-share measure-spectrum schedule-draw schedule-teams store-bad store-write"
command -v valgrind >/dev/null || { echo "valgrind: is not installed: bash jobs/setup.sh checkers" >&2; exit 77; }

targets=(ebrsweep_program)
for test in $unit; do targets+=("unit-$test"); done
for test in $mpi; do targets+=("mpi-$test"); done
cd "$source"
export SOURCE=$source
unset BUILD EBRSWEEP # another build's, when this is one of its tests
mkdir -p "$build"
build() {
  cmake --preset valgrind && cmake --build --preset valgrind -j "${CORES:-2}" --target "${targets[@]}"
}
if ! build >"$build/build.log" 2>&1; then
  tail -n 60 "$build/build.log"
  exit 1
fi

export OPENBLAS_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
read -ra mpirun <<<"${MPIRUN:-mpirun --bind-to none}"
memcheck=(valgrind --quiet --trace-children=yes --error-exitcode=99 --leak-check=full --show-leak-kinds=definite
  --errors-for-leak-kinds=definite --num-callers=30 --suppressions="$source/tests/valgrind.supp")
mapfile -t shipped < <(find / -xdev -name openmpi-valgrind.supp -path '*openmpi*' 2>/dev/null | head -n 1)
for list in "${shipped[@]}"; do memcheck+=(--suppressions="$list"); done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
checked=0 failed=0

# NAME RANKS CODE COMMAND...: the code is what the command ends with when memcheck has nothing to say.
check() {
  local name=$1 ranks=$2 code=$3 got=0 start=$SECONDS command=()
  shift 3
  [[ $name =~ $wanted ]] || [[ $name == program-run ]] || return 0
  [ "$ranks" -eq 1 ] || command=("${mpirun[@]}" -n "$ranks")
  "${command[@]}" "${memcheck[@]}" --log-file="$name.%p" "$@" >"$name.out" 2>&1 </dev/null || got=$?
  checked=$((checked + 1))
  [ "$got" -ne "$code" ] || { printf 'valgrind: %-26s clean %4d s\n' "$name" $((SECONDS - start)); return 0; }
  failed=$((failed + 1))
  cat "$name".[0-9]* | head -n "${LINES_MOST:-120}"
  tail -n 20 "$name.out"
  printf 'valgrind: %-26s ended with %d instead of %d\n' "$name" "$got" "$code"
}

for test in $unit; do check "unit-$test" 1 0 "$build/tests/unit-$test"; done
for test in $mpi; do check "mpi-$test" 2 0 "$build/tests/mpi-$test"; done
program=$build/ebrsweep
cat >tiny.yaml <<'YAML'
name: tiny
question: Is memory used as it should be?
base:
  data: {classes: 2, predictive: 2, noise: 1, train: 32, test: 16}
  model: {encoder: [4, 3], width: 4}
  train: {epochs: 2, batch: 16}
axes:
  data.modalities: [2, 3, 4]
  method: [vanilla, kd, ebr]
  seed: {from: 0, count: 2}
measure: {every: 1, spectra: [head, fused, weights]}
YAML
check program-plan 1 0 "$program" plan tiny.yaml
check program-run 2 0 "$program" run -q -o tiny.h5 tiny.yaml
check program-status 1 0 "$program" status tiny.h5
check program-show 1 0 "$program" show tiny.h5 --where 'method == ebr' --by method
check program-law 2 0 "$program" law tiny.h5 --resamples 20
check program-merge 1 0 "$program" merge merged.h5 tiny.h5 tiny.h5
check program-spectrum 2 0 "$program" spectrum tiny.h5:curves/test_loss.by_epoch
echo "valgrind: $((checked - failed)) of $checked clean"
[ "$failed" -eq 0 ] && [ "$checked" -gt 0 ]
