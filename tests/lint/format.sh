#!/usr/bin/env bash
# processors: 1
# No trailing blanks, no tabs, no overlong lines, a newline at the end of every file.
set -uo pipefail
cd "$SOURCE" || exit 1
texts=('*.c' '*.h' '*.in' '*.py' '*.sh' '*.cmake' '*.md' '*.yaml' '*.yml' '*.json' '*.cff' '*.txt' ':!LICENSE')
failures=0

complain() {
  [ -z "$2" ] && return
  printf '%s:\n%s\n\n' "$1" "$2"
  failures=$((failures + 1))
}

complain 'trailing blanks' "$(git grep --untracked -nE '[[:space:]]+$' -- "${texts[@]}")"
complain 'tabs' "$(git grep --untracked -nP '\t' -- "${texts[@]}")"
complain 'lines over 128 columns (120 is the aim)' \
  "$(git grep --untracked -nP '^.{129,}$' -- '*.c' '*.h' '*.in' '*.py' '*.sh' '*.cmake' '*.yaml' 'CMakeLists.txt')"
complain 'no newline at the end' "$(git ls-files -co --exclude-standard -- "${texts[@]}" | while read -r file; do
  [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ] && echo "$file"
done)"
complain 'Windows line ends' "$(git grep --untracked -lP '\r$' -- "${texts[@]}")"
[ "$failures" -eq 0 ]
