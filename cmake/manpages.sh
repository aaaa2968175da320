#!/usr/bin/env bash
# Man pages from the program's own help: manpages.sh PROGRAM VERSION FOLDER writes ebrsweep.1 and ebrsweep-COMMAND.1.
set -euo pipefail
program=$1 version=$2 folder=$3
mkdir -p "$folder"

page() { # file, name, one line of what it is, command...
  local file=$1 name=$2 what=$3
  shift 3
  help2man --no-info --no-discard-stderr --version-string="ebrsweep $version" --name="$what" "$*" |
    sed -e "/^\.SH NAME/{n;s/^.* \\\\- /$name \\\\- /}" \
      -e "s/^\.TH [^ ]* \"1\" \"[^\"]*\"/.TH ${name^^} \"1\" \"\"/" >"$file.new"
  mv "$file.new" "$file"
}

page "$folder/ebrsweep.1" ebrsweep \
  'trains many small multimodal networks and tells why they stop using some modalities' "$program"
"$program" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  *[^ ].*  *\([^ ].*\)$/\1/p' | while read -r command; do
  what=$("$program" --help | sed -n "s/^  $command  *//p" | sed 's/^[A-Z:. ]*  *//; s/[&\/]/\\&/g')
  page "$folder/ebrsweep-$command.1" "ebrsweep-$command" "$what" "$program" "$command"
done
