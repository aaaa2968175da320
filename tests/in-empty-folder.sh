#!/usr/bin/env bash
# Runs one test script in a fresh folder that is removed afterwards, as a new user would: nothing lies there yet.
set -u
script=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/ebrsweep-test.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
case "$script" in
  *.py) "$PYTHON" "$script" ;;
  *) bash "$script" ;;
esac
