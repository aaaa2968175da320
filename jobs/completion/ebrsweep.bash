# Completion for bash (and, through bashcompinit, zsh): commands, options and parameters, asked of the program itself so that they
# are never out of date.

_ebrsweep_commands() {
  "$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  *.*/\1/p'
}

_ebrsweep_options() { # program, command
  "$1" "$2" --help 2>/dev/null | grep -oE -- '(^|[ ,])--[a-z][a-z-]*' | tr -d ' ,'
}

_ebrsweep_parameters() {
  "$1" plan --parameters 2>/dev/null | sed -n 's/^\([a-z][a-z0-9_.]*\)  (.*/\1=/p'
}

_ebrsweep() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]:-}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_ebrsweep_commands "$program") --help --version" -- "$word")
  elif [ "$before" = --set ] || [ "$before" = -s ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_ebrsweep_parameters "$program")" -- "$word")
    compopt -o nospace 2>/dev/null
  elif [ "$before" = --scheduler ]; then
    mapfile -t COMPREPLY < <(compgen -W 'slurm pbs lsf flux sge' -- "$word")
  elif [ "${word#-}" != "$word" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_ebrsweep_options "$program" "$command")" -- "$word")
  else
    compopt -o default 2>/dev/null
  fi
}

complete -F _ebrsweep ebrsweep
