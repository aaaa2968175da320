#!/usr/bin/env bash
# Runs fuzzers (preset fuzz) for a given time each and tells how many inputs they tried.
#   tests/fuzz/run.sh [-t SECONDS] [-b BUILD] [-c] [HARNESS...]     default: 60 s, build/fuzz (built first), all
# With 0 s it only builds; with -c chance begins with the commit's number, so that what was found once is likely found again.
# The first inputs are made by the program $EBRSWEEP, by default that of the same build.
# The corpus that grows is kept in BUILD/tests/fuzz/corpus; an input that breaks something is written to BUILD/tests/fuzz.
set -euo pipefail
source=${SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${BUILD:-$source/build/fuzz}
seconds=60 seed=
while getopts t:b:c option; do
  case $option in
    t) seconds=$OPTARG ;;
    b) build=$OPTARG ;;
    c) seed=$((16#$(git -C "$source" rev-parse --short=7 HEAD 2>/dev/null || echo 1))) ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
# shellcheck disable=SC2046  # words are harnesses
[ $# -gt 0 ] || set -- $(sed -n 's/^set(EBR_HARNESSES \(.*\))$/\1/p' "$source/tests/CMakeLists.txt")
folder=$build/tests/fuzz
export SOURCE=$source
export LSAN_OPTIONS=suppressions=$source/tests/leaks.supp:print_suppressions=0
# HDF5 asks for what a damaged header says and takes no for an answer, which ASan would not give.
export ASAN_OPTIONS=allocator_may_return_null=1:suppressions=$source/tests/fuzz/hdf5.supp
prepare() {
  local targets=(fuzzers) program=${EBRSWEEP:-$build/ebrsweep}
  [ -n "${EBRSWEEP:-}" ] || targets+=(ebrsweep_program)
  cd "$source"
  unset BUILD
  { [ -e "$build/build.ninja" ] || cmake --preset fuzz -B "$build"; } &&
    cmake --build "$build" -j "$(nproc)" --target "${targets[@]}" &&
    { [ -d "$folder/seeds" ] || EBRSWEEP=$program "${PYTHON:-/usr/bin/python3}" tests/fuzz/seeds.py "$folder/seeds"; }
}
mkdir -p "$build"
exec 3>"$build/prepare.lock"
flock 3 # several of these may run side by side
(prepare) >"$build/prepare.log" 2>&1 || { tail -n 40 "$build/prepare.log"; exit 1; }
flock -u 3
[ "$seconds" -gt 0 ] || exit 0

failed=0
for harness in "$@"; do
  options=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=-1 -print_final_stats=1
    -artifact_prefix="$folder/$harness-" -verbosity=0)
  [ -z "$seed" ] || options+=(-seed="$seed")
  [ -e "$source/tests/fuzz/$harness.dict" ] && options+=(-dict="$source/tests/fuzz/$harness.dict")
  case $harness in
    sweep | site) options+=(-max_len=4096) ;;
    expression | where) options+=(-max_len=300) ;;
    merge) options+=(-max_len=262144) ;;
    *) options+=(-max_len=65536) ;;
  esac
  mkdir -p "$folder/corpus/$harness"
  inputs=("$folder/corpus/$harness" "$folder/seeds/$harness")
  [ -d "$source/tests/fuzz/found/$harness" ] && inputs+=("$source/tests/fuzz/found/$harness")
  log=$folder/$harness.log
  if "$folder/fuzz-$harness" "${options[@]}" "${inputs[@]}" >"$log" 2>&1; then result=ok; else result=BROKEN; fi
  [ "$result" = ok ] || failed=1
  [ "$result" = ok ] || grep -aE 'fuzz:|ERROR|runtime error|artifact_prefix|^    #[0-9] ' "$log" | head -n 20
  printf '%-12s %-7s %12s inputs\n' "$harness" "$result" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)"
done
exit "$failed"
