#!/usr/bin/env bash
# timeout: 600
# Unit tests that name EBR_TRAIN_DOUBLE check gradients to many digits: they run in the f64 build as well.
set -euo pipefail
cd "$SOURCE"
mapfile -t names < <(grep -ls EBR_TRAIN_DOUBLE tests/unit/*.c | xargs -r -n 1 basename -s .c)
if [ "${#names[@]}" -eq 0 ]; then
  echo "no unit test names EBR_TRAIN_DOUBLE"
  exit 0
fi
cmake --preset f64 -DEBR_TESTS=ON >/dev/null
cmake --build --preset f64 --target "${names[@]}" >/dev/null
for name in "${names[@]}"; do
  "build/f64/tests/$name"
done
