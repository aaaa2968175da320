#!/usr/bin/env bash
# The installed library serves a program outside this tree, by CMake and by pkg-config, and the installed program runs.
set -euo pipefail
prefix=$PWD/prefix
# A library with sanitizers wants programs with sanitizers.
CFLAGS=$(sed -n 's/^CMAKE_C_FLAGS:STRING=//p' "$BUILD/CMakeCache.txt")
export CFLAGS
cmake --install "$BUILD" --prefix "$prefix" >install.log
"$prefix/bin/ebrsweep" --version
"$prefix/bin/ebrsweep" --help >help.txt
grep -q 'Usage: ebrsweep' help.txt

cmake -S "$SOURCE/tests/consumer" -B consumer -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >configure.log 2>&1 ||
  { cat configure.log; exit 1; }
cmake --build consumer >build.log 2>&1 || { cat build.log; exit 1; }
consumer/consumer

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name ebrsweep.pc)")
export PKG_CONFIG_PATH
pkg-config --exists --print-errors ebrsweep
# shellcheck disable=SC2046  # flags are words
mpicc $CFLAGS "$SOURCE/tests/consumer/consumer.c" $(pkg-config --cflags ebrsweep) \
  $(pkg-config --libs --static ebrsweep) -o by-pkg-config
./by-pkg-config
