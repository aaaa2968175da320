#!/usr/bin/env bash
# processors: 1
# The public headers' pages come out of Doxygen without a warning, comments and all; a fault in a comment is one.
set -euo pipefail
pages() { # source tree
  sed -e "s,^OUTPUT_DIRECTORY.*,OUTPUT_DIRECTORY = out," -e "s,^INPUT  .*,INPUT = $1/include/ebrsweep," \
    "$BUILD/Doxyfile" >Doxyfile
  rm -rf out
  mkdir out
  doxygen Doxyfile 2>&1
}

said=$(pages "$SOURCE") || { echo "$said"; exit 1; }
[ -z "$said" ] || { echo "$said"; exit 1; }
headers=$(find "$SOURCE/include/ebrsweep" -name '*.h' | wc -l)
[ "$(find out/html -name '*_8h.html' | wc -l)" -eq "$headers" ]
# Comments above, behind and at the head of a file have found their places.
grep -q 'Creates path, or opens it to go on' out/html/store_8h.html
grep -q 'no longer in the sweep file; its results stay' out/html/store_8h.html
grep -q 'the only place that writes HDF5 for results' out/html/store_8h.html
grep -q '/curves/&lt;name&gt;' out/html/store_8h.html

mkdir -p bad/include
cp -r "$SOURCE/include/ebrsweep" bad/include
sed -i 's,^/\* Collective. Marks the end time,/* @param nobody is there. Marks the end time,' bad/include/ebrsweep/store.h
if said=$(pages "$PWD/bad") || ! grep -q nobody <<<"$said"; then
  echo "a parameter that is not there was not noticed: $said"
  exit 1
fi
