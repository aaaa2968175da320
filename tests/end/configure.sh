#!/usr/bin/env bash
# processors: 1
# CMake says what is missing or unfit, and what to install, before anything is compiled.
set -euo pipefail
configure() { # what it must say; the environment is the caller's
  local said
  if said=$(cmake -S "$SOURCE" -B build -G Ninja -DEBR_TESTS=OFF -DEBR_BENCHES=OFF 2>&1); then
    echo "configured without complaint, and should have said: $1"
    return 1
  fi
  said=$(tr -s ' \n' ' ' <<<"$said") # CMake breaks lines where it likes
  for words in "$@"; do
    [[ $said == *"$words"* ]] || { echo "did not say '$words': $said"; return 1; }
  done
  rm -rf build
}

# A serial HDF5: parallel features are not in its configuration.
mkdir -p serial/include pkgconfig
printf '#include "H5pubconf.h"\n' >serial/include/H5public.h
printf '/* #undef H5_HAVE_PARALLEL */\n#define H5_HAVE_THREADSAFE 1\n' >serial/include/H5pubconf.h
for name in hdf5-openmpi hdf5-mpich hdf5-mpi hdf5; do
  printf 'Name: HDF5\nDescription: serial\nVersion: 1.10.8\nCflags: -I%s\nLibs:\n' "$PWD/serial/include" >"pkgconfig/$name.pc"
done
PKG_CONFIG_PATH=$PWD/pkgconfig configure "This HDF5 ($PWD/serial/include) is a serial build; ebrsweep needs a parallel one" \
  'apt-get install libhdf5-openmpi-dev'

# Nothing at all: each library with its package.
PKG_CONFIG_LIBDIR=$PWD/empty configure 'ebrsweep needs:' 'petsc (pkg-config): apt-get install petsc-dev' \
  'libfyaml (pkg-config): apt-get install libfyaml-dev' 'bash jobs/setup.sh'
