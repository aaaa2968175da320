#!/usr/bin/env bash
# Grid Engine on this host, for tests: `sge_cluster.sh start FOLDER` starts Debian's gridengine-master and -exec without
# systemd, with a queue all.q of two slots and a parallel environment mpi; `stop FOLDER` ends what was started. Needs root.
set -uo pipefail

folder=$2
export SGE_ROOT=/var/lib/gridengine SGE_CELL=default
common=$SGE_ROOT/$SGE_CELL/common

# The master calls 127.0.0.1 localhost, and clients must agree.
start_master() {
  qconf -sh >/dev/null 2>&1 && return
  echo "localhost $(hostname)" >"$common/host_aliases"
  echo localhost >"$common/act_qmaster"
  runuser -u sgeadmin -- env SGE_ROOT=$SGE_ROOT SGE_CELL=$SGE_CELL /usr/sbin/sge_qmaster || return
  touch "$folder/master-is-ours"
  for _ in $(seq 50); do
    qconf -sh >/dev/null 2>&1 && return
    sleep 0.2
  done
}

start_execd() {
  pgrep -r S -x sge_execd >/dev/null && return # one that has ended but was not waited for does not count
  /usr/sbin/sge_execd && touch "$folder/execd-is-ours"
}

# What is there already stays.
configure() {
  cat >"$folder/host" <<HOST
hostname localhost
load_scaling NONE
complex_values NONE
user_lists NONE
xuser_lists NONE
projects NONE
xprojects NONE
usage_scaling NONE
report_variables NONE
HOST
  cat >"$folder/environment" <<PE
pe_name mpi
slots 999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule \$fill_up
control_slaves TRUE
job_is_first_task FALSE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
PE
  qconf -as localhost
  qconf -Ae "$folder/host"
  qconf -Ap "$folder/environment"
  qconf -sconf | sed '1d; s/^min_[ug]id .*/#&/; s/^load_report_time .*/load_report_time 00:00:02/' |
    sed 's/^#\(min_[ug]id\) .*/\1 0/' >"$folder/global"
  qconf -Mconf "$folder/global"
  qconf -sq | sed 's/^qname .*/qname all.q/; s/^hostlist .*/hostlist localhost/
    s/^slots .*/slots 2/; s/^pe_list .*/pe_list mpi/
    s/^load_thresholds .*/load_thresholds NONE/
    s/^shell .*/shell \/bin\/bash/; s/^rerun .*/rerun TRUE/' >"$folder/queue"
  qconf -Aq "$folder/queue" || qconf -Mq "$folder/queue"
  qconf -ssconf | sed 's/^\(schedule_interval\) .*/\1 0:0:1/; s/^\(flush_[a-z]*_sec\) .*/\1 1/' >"$folder/scheduler"
  qconf -Msconf "$folder/scheduler"
}

case $1 in
  start)
    start_master || exit
    configure >"$folder/configure.log" 2>&1
    start_execd || exit
    for _ in $(seq 100); do
      qstat -f 2>/dev/null | grep -q '^all.q@localhost .* lx-amd64 *$' && exit 0
      sleep 0.2
    done
    qstat -f >&2
    tail -qn 20 "$folder/configure.log" /var/spool/gridengine/qmaster/messages >&2
    exit 1
    ;;
  stop)
    [ -e "$folder/execd-is-ours" ] && qconf -ke localhost
    [ -e "$folder/master-is-ours" ] && qconf -km
    for _ in $(seq 50); do
      pgrep -r S -x sge_qmaster >/dev/null || pgrep -r S -x sge_execd >/dev/null || break
      sleep 0.2
    done
    ;;
  *) exit 2 ;;
esac
