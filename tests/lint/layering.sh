#!/usr/bin/env bash
# processors: 1
# The source tree's own rules: includes follow the design's arrows, each library stays in its module, nothing mutable at
# file scope, files and functions of a readable length, no parameter that does nothing.
set -uo pipefail
cd "$SOURCE" || exit 1
failures=0

complain() { # sentence, offending lines
  [ -z "$2" ] && return
  printf '%s:\n%s\n\n' "$1" "$2"
  failures=$((failures + 1))
}

# Tracked files and new ones alike, so that a fault is found before it is committed.
search() { git grep --untracked -InE "$@"; }

# The modules to each module's left, whose headers it may include, and the public headers that are theirs.
declare -A left=(
  [base]='' [sweep]='base' [schedule]='base' [data]='base sweep' [model]='base sweep data'
  [train]='base sweep schedule data model' [measure]='base sweep schedule data model train'
  [store]='base sweep schedule data model train measure'
  [law]='base sweep schedule data model train measure store'
  [run]='base sweep schedule data model train measure store law')
declare -A headers=([base]='base parallel config commit' [sweep]='sweep parameters site' [schedule]='schedule team'
  [data]='data library matrix'
  [measure]='measure spectrum allocation')
for module in "${!left[@]}"; do
  public=''
  for other in ${left[$module]} "$module"; do public+=" ${headers[$other]:-$other}"; done
  public=$(tr ' ' '|' <<<"${public# }")
  private=$(tr ' ' '|' <<<"$module${left[$module]:+ ${left[$module]}}")
  complain "src/$module includes a public header of a module to its right" \
    "$(search '#include <ebrsweep/' -- "src/$module" | grep -vE "<ebrsweep/($public)\.h>")"
  complain "src/$module includes a private header of a module to its right" \
    "$(search '#include "(\.\./|[a-z]+/)' -- "src/$module" | grep -vE "#include \"($private)/")"
done

only_in() { # header, then the folders that may include it
  local folders=()
  for folder in "${@:2}"; do folders+=(":!$folder"); done
  complain "$1 is for ${*:2} alone" "$(search "#include [<\"]$1[>\"]" -- src include "${folders[@]}")"
}
only_in 'hdf5\.h' src/store src/data
only_in 'cblas\.h' src/base src/measure
only_in 'lapacke\.h' src/measure
only_in '(slepc|petsc)[a-z]*(sys|mat|vec|svd|eps|tao|ksp|options)\.h' src/measure src/law src/app src/run
only_in 'libfyaml\.h' src/sweep
only_in 'Random123/.*' src/base
complain 'model and train know no MPI' \
  "$(search '#include <(mpi|ebrsweep/parallel|ebrsweep/library|ebrsweep/schedule)\.h>' -- src/model src/train)"

# A definition at the left margin that is neither const nor a function. Allowed: the flag that a signal handler sets.
complain 'mutable state at file scope' \
  "$(search '^(static )?[a-zA-Z_][a-zA-Z0-9_ ]*[ *][a-z_][a-z0-9_]*(\[[^]]*\])* *(=|;)' -- 'src/*.c' |
    grep -vE ':[0-9]+:(typedef|return|goto|extern|struct [a-z_]+;|enum|union)|[: *(]const |volatile sig_atomic_t ')"

sources=('*.c' '*.h' '*.py' '*.sh' '*.cmake')
complain 'files of 600 lines and more' \
  "$(git ls-files -co --exclude-standard "${sources[@]}" | xargs -r wc -l | awk '$1 >= 600 && $2 != "total"')"
# A function's braces stand at the left margin. claim_table.c is the table of claims, one a line.
complain 'functions of more than 60 lines' "$(git ls-files -co --exclude-standard 'src/*.c' 'bench/*.c' 'tests/*.c' |
  grep -v '^src/app/claim_table.c$' | xargs awk '
    FNR == 1 { start = 0 } /^{/ { start = FNR }
    /^}/ && start { if (FNR - start - 1 > 60) print FILENAME ":" start ": " FNR - start - 1 " lines"; start = 0 }')"
complain 'parameters that nothing reads' "$(sed -nE 's/^  X\([A-Z]+, ([a-z0-9_]+),.*/\1/p' include/ebrsweep/parameters.h |
  while read -r field; do
    git grep --untracked -qwe "$field" -- 'src/*.c' || echo "$field"
  done)"
complain 'work that was left undone' "$(search '\b(TO''DO|FIX''ME|X''XX)\b' -- . ':!LICENSE')"
[ "$failures" -eq 0 ]
