#!/usr/bin/env bash
# The checks of the source tree before a commit, in seconds: those of tests/lint that need no build.
#   pre-commit install, or without it: ln -s ../../jobs/hook.sh .git/hooks/pre-commit
set -uo pipefail
SOURCE=$(git rev-parse --show-toplevel) || exit 1
export SOURCE
failed=0
for check in format layering shell; do
  bash "$SOURCE/tests/lint/$check.sh" || failed=1
done
exit "$failed"
