#!/usr/bin/env bash
# Builds and tests against MPICH what can be had with it. Debian has HDF5 and ScaLAPACK for MPICH, but PETSc and SLEPc for
# Open MPI alone, so that law's fits, `spectrum --top` and the program's two commands that link them are left out; all else is
# in.
#   bash tests/mpich.sh [FOLDER]      FOLDER: where MPICH's packages were unpacked (default: /, installed)
#   bash tests/mpich.sh --fetch FOLDER  downloads and unpacks them there, so that this machine's own MPI stays what it is
# Needs the packages of `jobs/setup.sh build tests`. With another compiler: CC=clang bash tests/mpich.sh ...
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
packages="hwloc-nox libmpich12 libmpich-dev mpich libslurm38 libhdf5-mpich-103-1 libhdf5-mpich-hl-100 libhdf5-mpich-dev
  libscalapack-mpich2.2 libscalapack-mpich-dev"

if [ "${1:-}" = --fetch ]; then
  mkdir -p "$2/packages"
  # shellcheck disable=SC2086  # words are package names
  (cd "$2/packages" && apt-get download $packages)
  for package in "$2"/packages/*.deb; do dpkg -x "$package" "$2"; done
  exit 0
fi

root=$(cd "${1:-/}" && pwd)
root=${root%/}
library=$root/usr/lib/x86_64-linux-gnu
if [ ! -e "$library/libmpich.so" ] || [ ! -e "$root/usr/include/hdf5/mpich/hdf5.h" ]; then
  echo "mpich: no MPICH below '$root/': bash tests/mpich.sh --fetch FOLDER, then bash tests/mpich.sh FOLDER" >&2
  exit 3
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
flags=(-std=c11 -O2 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -Werror -I"$root/usr/include/x86_64-linux-gnu/mpich"
  -I"$root/usr/include/hdf5/mpich" -I"$source/include" -I"$source/src" -I"$source/tests" -I"$folder/include")
# shellcheck disable=SC2207  # words are flags
flags+=($(pkg-config --cflags openblas lapacke libfyaml libxxhash cmocka petsc | tr ' ' '\n' |
  grep -vi 'openmpi\|hdf5' || true))
libraries=("$library/libscalapack-mpich.so" "$library/libhdf5_mpich.so" "$library/libmpich.so"
  "-Wl,-rpath-link,$library:/usr/lib/x86_64-linux-gnu" -llapacke -lopenblas -lfyaml -lxxhash -lcmocka -lm)
export LD_LIBRARY_PATH="$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# What CMake would have written.
mkdir -p "$folder/include/ebrsweep" "$folder/objects"
sed -e 's/#cmakedefine.*//' -e 's/@[A-Za-z_]*@/unknown/g' "$source/include/ebrsweep/config.h.in" \
  >"$folder/include/ebrsweep/config.h"
printf '#define EBR_COMMIT "unknown"\n' >"$folder/include/ebrsweep/commit.h"

cd "$folder/objects"
find "$source/src" -name '*.c' -not -path '*/app/*' -not -path '*/law/fit.c' -not -path '*/measure/triplets.c' -print0 |
  xargs -0 -P "$(nproc)" -I{} sh -c '"$0" "$@" -c {} -o "$(echo {} | tr / _).o"' "${CC:-gcc}" "${flags[@]}"
ar rcs ../libebrsweep.a ./*.o
cd "$folder"
passed=0
for test in "$source"/tests/mpi/*.c "$source"/tests/unit/*.c; do
  grep -q 'petsc\|slepc' "$test" && { echo "mpich: $test is about PETSc or SLEPc"; continue; }
  name=$(basename "$(dirname "$test")")-$(basename "$test" .c)
  if ! "${CC:-gcc}" "${flags[@]}" "$test" libebrsweep.a "${libraries[@]}" -o "$name" 2>"$name.log"; then
    # Only what needs the two files that were left out may fail to link.
    if grep 'undefined reference' "$name.log" | grep -qv 'ebr_fit\|ebr_triplets\|ebr_svd'; then cat "$name.log"; exit 1; fi
    grep -q 'undefined reference' "$name.log" || { cat "$name.log"; exit 1; }
    echo "mpich: $test needs PETSc or SLEPc"
    continue
  fi
  ! ldd "$name" | grep -q 'libmpi\.so' || { echo "mpich: $name is linked with Open MPI as well"; exit 1; }
  for ranks in $([[ $name == mpi-* ]] && echo 1 2 3 4 || echo 1); do
    (mkdir -p "run-$name" && cd "run-$name" && OPENBLAS_NUM_THREADS=1 SOURCE=$source timeout 300 \
      "$root/usr/bin/mpiexec.hydra" -n "$ranks" "../$name" >../output 2>&1) ||
      { cat output; echo "mpich: $name on $ranks ranks failed"; exit 1; }
    passed=$((passed + 1))
  done
done

mkdir program
find "$source/src/app" -name '*.c' -not -name 'law*.c' -not -name spectrum.c -print0 |
  xargs -0 -P "$(nproc)" -I{} sh -c '"$0" "$@" -c {} -o "program/$(basename {}).o"' "${CC:-gcc}" "${flags[@]}" \
    -DEBR_LIBEXEC='"libexec"'
"${CC:-gcc}" program/*.o libebrsweep.a "${libraries[@]}" -o ebrsweep
for script in rank_count teams; do
  (mkdir "run-$script" && cd "run-$script" && OPENBLAS_NUM_THREADS=1 SOURCE=$source EBRSWEEP=$folder/ebrsweep \
    MPIRUN="$root/usr/bin/mpiexec.hydra" /usr/bin/python3 "$source/tests/end/$script.py" >../output 2>&1) ||
    { cat output; echo "mpich: $script failed"; exit 1; }
  passed=$((passed + 1))
done
echo "mpich: $passed tests passed with $("$root/usr/bin/mpichversion" | sed -n '1s/[[:space:]][[:space:]]*/ /gp')"
[ "$passed" -gt 30 ]
