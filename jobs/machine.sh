#!/usr/bin/env bash
# What the other scripts ask of this machine. Sourced, not run: sets the environment of MPI and BLAS, and `cores`.

# One BLAS thread a rank; mpirun works for root (containers) as well; no cross-memory attach, which containers forbid.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none

# Processors that a control group leaves us, or nothing when it sets no limit.
quota_cores() {
  local quota period
  if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [ "$quota" != max ]; then
    echo $(((quota + period - 1) / period))
  fi
}

# Physical cores that this process may use: hyperthreads share the units that training needs.
count_cores() {
  local physical allowed quota
  allowed=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) # nproc would take these for a limit
  quota=$(quota_cores)
  physical=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l)
  [ "$physical" -ge 1 ] && [ "$physical" -lt "$allowed" ] && allowed=$physical
  [ -n "$quota" ] && [ "$quota" -lt "$allowed" ] && allowed=$quota
  echo "$allowed"
}

# shellcheck disable=SC2034  # for who sources this
cores=$(count_cores)
# Debian's python3 has Debian's packages; another one earlier on PATH has not.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
