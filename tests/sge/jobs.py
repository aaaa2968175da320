"""A sweep in a real Grid Engine: warned and put back until it is done, and as an array whose parts are merged."""
# timeout: 180
import json
import os
import re
import subprocess
import time

import h5py

PROGRAM, SOURCE = os.environ["EBRSWEEP"], os.environ["SOURCE"]
CLUSTER = os.path.join(SOURCE, "tests/sge_cluster.sh")
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


def submit(*options, ranks):
    done = call(PROGRAM, "submit", "queued.yaml", "--scheduler", "sge", "--nodes", "1", "--ranks-per-node", str(ranks),
                "--time", "10m", *options)
    return re.findall(r"submitted job (\d+)", done.stdout)


def done_runs(path):
    answer = subprocess.run([PROGRAM, "status", path, "--json"], capture_output=True, text=True)
    return json.loads(answer.stdout)["done"] if answer.returncode == 0 else 0


def wait_for(what, ready, seconds=80):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, (what, subprocess.run(["qstat"], capture_output=True, text=True).stdout, logs())
        time.sleep(0.3)


def wait_for_job(job):
    wait_for(f"job {job} to end", lambda: subprocess.run(["qstat", "-j", job], capture_output=True).returncode != 0)


def content(path):
    with h5py.File(path) as file:
        runs = file["runs"][:]
        assert set(runs["status"]) == {b"done"}, runs["status"]
        names = [name for name in runs.dtype.names if name not in OF_THE_JOB]
        return {row["id"]: repr([row[name] for name in names]) for row in runs}


def warned_and_put_back(whole):
    (job,) = submit("-o", "warned.h5", ranks=2)
    wait_for("the first runs", lambda: 0 < done_runs("warned.h5") < 18)
    scripts = subprocess.run(["pgrep", "-f", f"job_scripts/{job}"], capture_output=True, text=True).stdout.split()
    assert scripts, logs()
    for process in scripts[:1]:
        os.kill(int(process), 10)  # SIGUSR1, as s_rt sends it
    wait_for_job(job)
    assert logs()["warned.h5.log"].count("back into the queue") == 1, logs()
    assert content("warned.h5") == whole


def an_array_is_merged(whole):
    array, after = submit("-o", "array.h5", "--array", "2", ranks=1)
    wait_for_job(array)
    wait_for_job(after)
    assert content("array.h5") == whole


os.environ.update(SGE_ROOT="/var/lib/gridengine", SGE_CELL="default")
os.mkdir(FOLDER)
try:
    started = subprocess.run(["bash", CLUSTER, "start", FOLDER], capture_output=True, text=True, timeout=90)
    assert started.returncode == 0, started
    with open("queued.yaml", "w") as yaml:
        yaml.write(SWEEP)
    call(PROGRAM, "run", "queued.yaml", "-q", "-o", "whole.h5")
    expected = content("whole.h5")
    warned_and_put_back(expected)
    an_array_is_merged(expected)
finally:
    subprocess.run(["bash", CLUSTER, "stop", FOLDER], check=False)
