#!/usr/bin/env bash
# processors: 1
# cppcheck has nothing to say about src/ beyond .cppcheck-suppressions. Skipped (77) where it is not installed.
set -uo pipefail
command -v cppcheck >/dev/null || exit 77
cppcheck --enable=warning,performance,portability --std=c11 --inline-suppr --quiet -j 2 --error-exitcode=1 \
  --suppressions-list="$SOURCE/.cppcheck-suppressions" -D_GNU_SOURCE \
  -I "$SOURCE/include" -I "$SOURCE/src" -I "$BUILD/include" "$SOURCE/src"
