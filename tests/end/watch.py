"""A job watched from another terminal while its ranks write: what is said fits together, and gets from nothing to all."""
import json
import os
import shlex
import subprocess
import time
from pathlib import Path

PROGRAM, MPIRUN = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"])
Path("watch.yaml").write_text("""
name: watch
base:
  data: {modalities: 2, classes: 4, predictive: 2, noise: 2, train: 512, test: 128}
  model: {encoder: [16, 8], width: 16}
  train: {batch: 32}
axes:
  train.epochs: [30, 60]
  train.limit: [1, 1.0e+6]
  seed: {from: 0, count: 40}
measure: {every: 1}
""", encoding="utf-8")


def status(*words, code=0):
    done = subprocess.run([PROGRAM, "status", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done
    return done.stdout if code == 0 else done.stderr


with subprocess.Popen(MPIRUN + ["-n", "2", PROGRAM, "run", "watch.yaml", "-q"], stderr=subprocess.PIPE, text=True) as job:
    while not os.path.exists("watch.h5"):
        assert job.poll() is None
        time.sleep(0.005)
    lines = status("watch.h5", "--watch", "0.05", "--json").splitlines()
    said = job.communicate(timeout=60)[1]
assert job.returncode == 1 and "80 of 160 runs failed" in said, (job.returncode, said)
looks = [json.loads(line) for line in lines]
assert len(looks) >= 4 and any(0 < look["done"] < 80 for look in looks), f"{len(looks)} looks: that tests nothing"
for before, look in zip([looks[0]] + looks, looks):
    over = look["done"] + look["failed"]
    assert look["total"] == 160 == over + look["running"] + look["waiting"] and look["removed"] == 0, look
    assert look["running"] <= 2 and look["done"] >= before["done"] and look["failed"] >= before["failed"], look
    assert sum(rank["runs"] for rank in look["ranks"]) == over and len(look["ranks"]) <= 2, look
    assert len(look["failures"]) == look["failed"], look
    assert over in (0, 160) or look["writer"].startswith("process "), look
    if over >= 2:
        assert look["runs_per_second"] > 0, look
        left = (160 - over) / look["runs_per_second"]
        assert abs(look["seconds_left"] - left) <= 1e-9 * left + 1e-12, look
last = looks[-1]
assert last["done"] == last["failed"] == 80 and last["seconds_left"] == 0 and len(last["ranks"]) == 2, last
assert all("diverged in step 0" in failure["reason"] for failure in last["failures"]), last["failures"][0]
assert all(rank["runs"] > 0 and rank["seconds"] > 0 for rank in last["ranks"]), last["ranks"]

# For people; there is nothing to wait for.
for words in (["watch.h5", "-w"], ["--watch", "3", "watch.h5"], ["watch.h5", "--watch"]):
    page = status(*words)
    for part in ("  done              80   50.0 %", "  failed            80   50.0 %", "runs a second", "load of 2 ranks",
                 "  rank 1 ", "  writer    none", "  and 70 more: "):
        assert part in page, (part, page)
assert "one results file at a time, '3x' is left over" in status("watch.h5", "--watch", "3x", code=2)
assert "one results file at a time, '3' is left over" in status("watch.h5", "3", code=2)
assert "which results file?" in status("--watch", code=2)
