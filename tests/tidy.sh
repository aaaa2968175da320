#!/usr/bin/env bash
# clang-tidy has nothing to say about src/ and the public headers; .clang-tidy says what is asked, and why some things are not.
# One file after the other on each core: some seconds a file, seven minutes of one core in all.
#   bash tests/tidy.sh [FILE...]      default: all of src/; needs a finished build/release, or $BUILD
set -euo pipefail
source=${SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
build=${BUILD:-$source/build/release}
command -v clang-tidy >/dev/null || { echo "tidy: clang-tidy is not installed: bash jobs/setup.sh checkers" >&2; exit 77; }
cd "$source"
if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(find src -name '*.c' | sort); fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
printf '%s\0' "${files[@]}" |
  xargs -0 -P "$(nproc)" -n 1 clang-tidy -p "$build" --quiet --warnings-as-errors='*' >"$log" 2>/dev/null || failed=1
cat "$log"
[ "$failed" -eq 0 ] && echo "tidy: ${#files[@]} files clean"
exit "$failed"
