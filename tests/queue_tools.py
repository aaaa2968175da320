"""What the tests of real schedulers share: a sweep of twenty runs, and waiting for jobs."""
import json
import os
import re
import subprocess
import time

import h5py

PROGRAM, SOURCE = os.environ["EBRSWEEP"], os.environ["SOURCE"]
RUNS = 20
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


def logs():
    return {name: open(name, errors="replace").read()[-2000:] for name in sorted(os.listdir()) if name.endswith(".log")}


def call(*arguments, code=0):
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (arguments, done, logs())
    return done


def submit(*options, ranks, nodes=1, code=0):
    """Ids of the jobs that were submitted."""
    done = call(PROGRAM, "submit", "queued.yaml", "--nodes", str(nodes), "--ranks-per-node", str(ranks), "--time", "10m",
                *options, code=code)
    return re.findall(r"submitted job (\d+)", done.stdout)


def status(path):
    """None if the file is not there yet."""
    answer = subprocess.run([PROGRAM, "status", path, "--json"], capture_output=True, text=True)
    return json.loads(answer.stdout) if answer.returncode == 0 else None


def done_runs(path):
    now = status(path)
    return now["done"] if now else 0


def wait_for(what, ready, about, seconds=80):
    """about: the scheduler's command that tells why it takes so long."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, (what, subprocess.run(about, capture_output=True, text=True).stdout, logs())
        time.sleep(0.2)


def content(path):
    """Finished runs by id, without what belongs to the job."""
    with h5py.File(path) as file:
        runs = file["runs"][:]
        assert set(runs["status"]) == {b"done"} and len(runs) == RUNS, runs["status"]
        names = [name for name in runs.dtype.names if name not in OF_THE_JOB]
        return {row["id"]: repr([row[name] for name in names]) for row in runs}


def undisturbed():
    """The sweep's file, and what a job that nothing happens to makes of it."""
    with open("queued.yaml", "w") as file:
        file.write(SWEEP)
    call(PROGRAM, "run", "queued.yaml", "-q", "-o", "whole.h5")
    return content("whole.h5")


def start_cluster(script, folder):
    os.mkdir(folder)
    started = subprocess.run(["bash", script, "start", folder], capture_output=True, text=True, timeout=90)
    assert started.returncode == 0, started
    return started.stdout.strip()


def stop_cluster(script, folder):
    subprocess.run(["bash", script, "stop", folder], check=False)
