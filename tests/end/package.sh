#!/usr/bin/env bash
# processors: 1
# What a cluster's administrator gets: an install tree that runs wherever it is moved to, man pages, completion, a module file,
# a Debian package that installs, runs and goes away again, recipes that parse.
# timeout: 240
set -euo pipefail

cmake --install "$BUILD" --prefix "$PWD/first" >install.log
mkdir -p elsewhere/deep
mv first elsewhere/deep/second
prefix=$PWD/elsewhere/deep/second
cat >tiny.yaml <<'YAML'
name: tiny
base: {data: {modalities: 2, train: 64, test: 64}, train: {epochs: 1, batch: 32}}
axes: {seed: {from: 0, count: 4}}
YAML
"$prefix/bin/ebrsweep" submit tiny.yaml --scheduler slurm --dry-run --report >script 2>said
grep -q "^mpirun -n [0-9]* $prefix/bin/ebrsweep run tiny.yaml" script
grep -q "^python3 $prefix/share/ebrsweep/analysis/report.py tiny.h5 -o tiny.html" script
"$prefix/bin/ebrsweep" run tiny.yaml -q
"$prefix/bin/ebrsweep" spectrum --help | grep -q "^Singular values"

# Man pages say what the help says.
for command in '' $("$prefix/bin/ebrsweep" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  *.*/\1/p'); do
  page=$prefix/share/man/man1/ebrsweep${command:+-$command}.1
  LC_ALL=C.UTF-8 MANWIDTH=120 man --warnings -l "$page" >page.txt 2>warnings.txt
  [ ! -s warnings.txt ]
  for option in $("$prefix/bin/ebrsweep" $command --help | grep -oE -- '--[a-z][a-z-]+'); do
    grep -qF -- "$option" page.txt
  done
done

# shellcheck disable=SC2030,SC2031,SC2034,SC2317  # bash sets and calls these when it completes
complete_line() { # words: the last one is completed
  (
    source "$prefix/share/bash-completion/completions/ebrsweep"
    compopt() { :; }
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _ebrsweep
    printf '%s\n' "${COMPREPLY[@]}"
  )
}
[ "$(complete_line "$prefix/bin/ebrsweep" sp)" = spectrum ]
complete_line "$prefix/bin/ebrsweep" run --wall | grep -qx -- --walltime
complete_line "$prefix/bin/ebrsweep" plan --set data.modal | grep -qx data.modalities=
[ "$(complete_line "$prefix/bin/ebrsweep" submit x --scheduler s)" = "slurm
sge" ]
zsh -n "$prefix/share/zsh/site-functions/_ebrsweep"

# The module file's Tcl finds the tree; its commands are those of Environment Modules.
grep -q "^prepend-path PATH \$prefix/bin" "$prefix/share/ebrsweep/modulefile"

python3 - "$SOURCE" <<'PYTHON'
import ast, pathlib, sys, re
source = pathlib.Path(sys.argv[1], "jobs")
recipe = ast.parse((source / "spack/package.py").read_text())
(package,) = [node for node in recipe.body if isinstance(node, ast.ClassDef)]
assert package.name == "Ebrsweep", package.name
definition = (source / "apptainer/ebrsweep.def").read_text()
assert re.findall(r"^%(\w+)", definition, re.M) == ["files", "post", "environment", "runscript", "test", "labels"], definition
PYTHON

(cd "$BUILD" && cpack -B "$OLDPWD/deb" >"$OLDPWD/cpack.log")
deb=(deb/ebrsweep_*.deb)
dpkg-deb --info "${deb[0]}" >info.txt
grep -q '^ Depends: .*libpetsc-real3' info.txt
dpkg -i "${deb[0]}" >dpkg.log
trap 'dpkg -r ebrsweep >/dev/null 2>&1' EXIT
/usr/bin/ebrsweep --version
/usr/bin/ebrsweep submit tiny.yaml --scheduler pbs -o new.h5 --dry-run >script 2>said
grep -q '^mpirun -n [0-9]* /usr/bin/ebrsweep run tiny.yaml' script
dpkg -r ebrsweep >dpkg.log
[ ! -e /usr/bin/ebrsweep ]
