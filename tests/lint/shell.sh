#!/usr/bin/env bash
# processors: 1
# Every script parses, and shellcheck finds nothing.
set -euo pipefail
cd "$SOURCE"
mapfile -t scripts < <(git ls-files -co --exclude-standard '*.sh' .ci/run)
[ "${#scripts[@]}" -gt 0 ]
for script in "${scripts[@]}"; do
  bash -n "$script"
done
shellcheck --shell=bash --external-sources --severity=warning "${scripts[@]}"
