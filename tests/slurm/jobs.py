"""A sweep in a real Slurm: warned and put back until it is done, as an array that is merged, cancelled and resumed, with a
node's daemon killed in the middle; always with the runs of an undisturbed job in the end."""
# timeout: 240
import json
import os
import re
import subprocess
import time

import h5py

PROGRAM, SOURCE = os.environ["EBRSWEEP"], os.environ["SOURCE"]
CLUSTER = [os.path.join(SOURCE, "tests/slurm_cluster.sh")]
FOLDER = os.path.join(os.getcwd(), "cluster")
OF_THE_JOB = {"started", "seconds", "host", "rank", "checksum"}
SWEEP = """
name: queued
base:
  data: {source: synthetic, modalities: 4, classes: 8, train: 4096, test: 512}
  train: {epochs: 12}
axes:
  method: [vanilla, ebr]
  seed: {from: 0, count: 10}
measure: {every: 0}
"""


def call(*arguments, code=0):
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (arguments, done, logs())
    return done


def logs():
    return {name: open(name, errors="replace").read()[-2000:] for name in sorted(os.listdir()) if name.endswith(".log")}


def submit(*options, code=0, nodes=2):
    done = call(PROGRAM, "submit", "queued.yaml", "--nodes", str(nodes), "--ranks-per-node", "1", "--time", "10m", *options,
                code=code)
    return re.findall(r"submitted job (\d+)", done.stdout)


def status(path):
    done = subprocess.run([PROGRAM, "status", path, "--json"], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else {"done": 0, "running": 0}


def wait_for(what, ready, seconds=60):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, (what, call("squeue").stdout, call("scontrol", "show", "jobs").stdout, logs())
        time.sleep(0.2)


def wait_for_job(job, seconds=60):
    over = {"COMPLETED", "CANCELLED", "FAILED"}
    wait_for(f"job {job} to end", lambda: over >= set(call("squeue", "-h", "-j", job, "-t", "all", "-o", "%T").stdout.split()),
             seconds)


def content(path):
    with h5py.File(path) as file:
        runs = file["runs"][:]
        assert set(runs["status"]) == {b"done"}, runs["status"]
        names = [name for name in runs.dtype.names if name not in OF_THE_JOB]
        return {row["id"]: repr([row[name] for name in names]) for row in runs}


def warned_and_put_back(whole):
    (job,) = submit("-o", "warned.h5")
    wait_for("the first runs", lambda: 0 < status("warned.h5")["done"] < 18)
    call("scancel", "--batch", "--signal=USR1", job)
    wait_for("the job to be put back", lambda: call("squeue", "-h", "-j", job, "-o", "%T").stdout.strip() == "PENDING"
             and call("sinfo", "-h", "-t", "idle", "-o", "%D").stdout.strip() == "2")
    # Slurm lets a job that is put back wait for two minutes, so that word of its first end cannot be taken for the second's.
    time.sleep(4)
    call("scontrol", "update", f"jobid={job}", "StartTime=now")
    wait_for("the second round", lambda: "nothing to do" in logs()["warned.h5.log"] or status("warned.h5")["done"] == 20)
    wait_for_job(job)
    log = logs()["warned.h5.log"]
    assert log.count("back into the queue") == 1 and "the same command goes on" in log, log
    assert content("warned.h5") == whole
    with h5py.File("warned.h5") as file:
        assert len(set(file["runs"]["rank"])) == 2


def an_array_is_merged(whole):
    array, after = submit("-o", "array.h5", "--array", "2", "--report", nodes=1)
    wait_for("the merged file", lambda: os.path.exists("array.h5"))
    wait_for_job(after)
    assert content("array.h5") == whole and status("array.part-1.h5")["done"] == 10, array
    with open("array.html") as page:
        assert "<html" in page.read(200), logs()


def cancelled_and_resumed(whole):
    (job,) = submit("-o", "cancelled.h5")
    wait_for("the first runs", lambda: 0 < status("cancelled.h5")["done"] < 18)
    assert "already; --again submits another" in call(
        PROGRAM, "submit", "queued.yaml", "-o", "cancelled.h5", "--nodes", "1", "--ranks-per-node", "1", code=2).stderr
    call("scancel", job)
    wait_for_job(job)
    assert status("cancelled.h5")["done"] < 20
    (job,) = submit("-o", "cancelled.h5")
    wait_for_job(job)
    assert content("cancelled.h5") == whole


def a_daemon_is_killed(whole):
    (job,) = submit("-o", "killed.h5")
    wait_for("the first runs", lambda: 0 < status("killed.h5")["done"] < 18)
    subprocess.run(["bash", *CLUSTER, "kill-node", FOLDER, "2"], check=True)
    time.sleep(1)
    subprocess.run(["bash", *CLUSTER, "start-node", FOLDER, "2"], check=True)
    wait_for_job(job)
    assert content("killed.h5") == whole


def what_slurm_refuses():
    done = call(PROGRAM, "submit", "queued.yaml", "-o", "none.h5", "--nodes", "1", "--ranks-per-node", "1",
                "--partition", "none", code=3)
    assert "slurm refused the job: sbatch: error: invalid partition specified: none" in done.stderr, done
    assert call("squeue", "-h").stdout == ""


def all_of_it():
    with open("queued.yaml", "w") as file:
        file.write(SWEEP)
    call(PROGRAM, "run", "queued.yaml", "-q", "-o", "whole.h5")
    whole = content("whole.h5")
    warned_and_put_back(whole)
    an_array_is_merged(whole)
    cancelled_and_resumed(whole)
    a_daemon_is_killed(whole)
    what_slurm_refuses()


os.environ["PATH"] = "/usr/bin:" + os.environ["PATH"]  # the Python whose packages jobs/setup.sh installs
os.mkdir(FOLDER)
try:
    started = subprocess.run(["bash", *CLUSTER, "start", FOLDER], capture_output=True, text=True, timeout=60)
    assert started.returncode == 0, started
    os.environ["SLURM_CONF"] = started.stdout.strip()
    all_of_it()
finally:
    subprocess.run(["bash", *CLUSTER, "stop", FOLDER], check=False)
