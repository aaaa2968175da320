#!/usr/bin/env bash
# Slurm as two nodes on this host, for tests: `slurm_cluster.sh start FOLDER` puts configuration, logs and states into FOLDER
# and prints the path of slurm.conf, `stop FOLDER` ends what was started, `kill-node FOLDER N` ends one node's daemon.
# Needs root and Debian's slurm-wlm and munge; neither systemd nor cgroups.
set -euo pipefail

folder=$2
host=$(hostname -s)

start_munge() {
  if munge -n >/dev/null 2>&1; then return; fi
  [ -e /etc/munge/munge.key ] || mungekey --create
  mkdir -p /run/munge /var/log/munge /var/lib/munge
  chown munge: /run/munge /var/log/munge /var/lib/munge /etc/munge /etc/munge/munge.key
  runuser -u munge -- /usr/sbin/munged --force
  cp /run/munge/munged.pid "$folder/munged.pid"
}

configure() {
  mkdir -p "$folder"/{state,spool/n1,spool/n2}
  cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$((17100 + $$ % 400))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
JobRequeue=1
MinJobAge=300
KillWait=5
SlurmdTimeout=15
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2,requeue_setup_env_fail
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((17500 + $$ % 400))-$((17501 + $$ % 400))] CPUs=1 RealMemory=4000
PartitionName=all Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP
CONF
}

start() {
  configure
  start_munge
  export SLURM_CONF=$folder/slurm.conf
  slurmctld -f "$SLURM_CONF"
  for node in n1 n2; do slurmd -f "$SLURM_CONF" -N "$node"; done
  for _ in $(seq 100); do
    [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ] && { echo "$SLURM_CONF"; return; }
    sleep 0.2
  done
  sinfo >&2
  tail -20 "$folder"/*.log >&2
  return 1
}

end() { # pid file
  local pid
  [ -e "$1" ] || return 0
  pid=$(<"$1")
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 50); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

case $1 in
  start) start ;;
  stop) for name in slurmd-n1 slurmd-n2 slurmctld munged; do end "$folder/$name.pid"; done ;;
  kill-node) kill -9 "$(<"$folder/slurmd-n$3.pid")" ;;
  start-node) SLURM_CONF=$folder/slurm.conf slurmd -f "$folder/slurm.conf" -N "n$3" ;;
  *) exit 2 ;;
esac
