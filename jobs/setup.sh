#!/usr/bin/env bash
# Installs what ebrsweep needs from Debian's packages; does nothing, quickly, when all of it is there.
#   bash jobs/setup.sh [--print] [build] [analysis] [tests] [checkers]      default: build analysis
# Without root or sudo it prints the list instead, and how to get the same from Spack or modules, and ends with 3.
set -euo pipefail

# MPI is Open MPI and HDF5 the build that goes with it; PETSc and SLEPc are the real-valued ones.
build="gcc libc6-dev cmake ninja-build pkg-config git help2man
  libopenmpi-dev openmpi-bin libhdf5-openmpi-dev libopenblas-dev liblapacke-dev libscalapack-openmpi-dev
  petsc-dev libpetsc-real-dev slepc-dev libslepc-real-dev libfyaml-dev librandom123-dev libxxhash-dev"
analysis="python3 python3-h5py python3-numpy python3-scipy python3-pandas python3-matplotlib python3-seaborn
  python3-statsmodels python3-sklearn"
tests="libcmocka-dev libblas3 liblapack3 python3-torch python3-mpi4py hdf5-tools shellcheck cppcheck doxygen slurm-wlm munge
  gridengine-master gridengine-exec gridengine-client zsh man-db dpkg-dev file clang"
# For tests/tidy.sh and tests/valgrind.sh.
checkers="clang clang-tidy valgrind openmpi-common"

say() { printf 'setup: %s\n' "$*" >&2; }

usage() {
  sed -n '2,4s/^# //p' "$0"
}

packages=
print_only=
for word in "$@"; do
  case $word in
    build) packages+=" $build" ;;
    analysis) packages+=" $analysis" ;;
    tests) packages+=" $tests" ;;
    checkers) packages+=" $checkers" ;;
    --print) print_only=yes ;;
    -h | --help) usage; exit 0 ;;
    *) say "unknown group '$word': build, analysis, tests or checkers"; exit 2 ;;
  esac
done
[ -n "$packages" ] || packages="$build $analysis"
# shellcheck disable=SC2206  # words are package names
packages=($packages)

missing() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
    sed -n 's/^installed //p') || true # dpkg-query fails when it does not know one
  printf '%s\n' "${packages[@]}" | grep -vxF -e "${installed:-none at all}" || true
}

by_hand() {
  cat >&2 <<HELP
On Debian 12 or a relative of it, as root:
  apt-get update && apt-get install --no-install-recommends ${wanted[*]}
On a cluster, ask for modules of the same libraries (names differ by site), for example
  module load gcc cmake openmpi openblas hdf5/parallel scalapack petsc slepc
or build them in your home folder with Spack:
  spack install cmake ninja pkgconf openmpi openblas hdf5+mpi+hl netlib-scalapack petsc+mpi~complex slepc \\
    libfyaml random123 xxhash py-h5py py-pandas py-scipy py-matplotlib py-seaborn py-statsmodels py-scikit-learn
  spack load cmake ninja pkgconf openmpi openblas hdf5 netlib-scalapack petsc slepc libfyaml random123 xxhash
Then build without this script: cmake --preset release -DEBR_TESTS=OFF && cmake --build --preset release
HELP
}

if [ -n "$print_only" ]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  say "this is no Debian system: nothing was installed"
  wanted=("${packages[@]}")
  by_hand
  exit 3
fi
mapfile -t wanted < <(missing)
[ "${#wanted[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo)
  else
    say "these packages are missing, and neither root nor sudo is at hand: ${wanted[*]}"
    by_hand
    exit 3
  fi
fi

say "installing ${wanted[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${wanted[@]}"; } >"$log" 2>&1 </dev/null; then
  tail -n 20 "$log" >&2
  say "apt-get could not install them; its last lines are above"
  by_hand
  exit 3
fi
say "done"
