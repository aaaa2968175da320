"""ebrsweep run --times: all of the ranks' time is accounted for, and a sweep that measures more spends more on it."""
import os
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
from fault_tools import MPIRUN, PROGRAM

SWEEP = """
name: times
base:
  data: {modalities: 2, classes: 4, predictive: 4, noise: 4, train: 512, test: 128}
  model: {encoder: [16, 8], width: 64}
  train: {epochs: 30, batch: 64}
axes:
  seed: {from: 0, count: 6}
measure: {every: EVERY, unimodal: false}
"""
KINDS = ["preparing", "drawing", "data", "alone", "training", "measuring", "storing", "waiting"]


def run(ranks, every, *options):
    Path("times.yaml").write_text(SWEEP.replace("EVERY", str(every)), encoding="utf-8")
    command = (MPIRUN + ["-n", str(ranks)] if ranks > 1 else []) + [PROGRAM, "run", "times.yaml", "-q", *options]
    Path("times.h5").unlink(missing_ok=True)
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done
    return done.stderr, time.monotonic() - start


assert run(1, 0)[0] == "", "nobody asked"
for ranks in (1, 2, 4):
    said, wall = run(ranks, 1, "--times")
    rows = re.findall(r"^(\w+) +([\d.]+) +([\d.]+) +([\d.]+)   \w", said, re.M)
    assert [row[0] for row in rows] == KINDS, said
    assert f"of {ranks} rank{'s' if ranks > 1 else ''}\n" in said, said
    total = sum(float(row[1]) for row in rows)
    # Outside of it are the start of the processes and the end of MPI.
    assert 0.05 * ranks * wall < total < 1.01 * ranks * wall, (total, ranks, wall, said)
    assert abs(sum(float(row[2]) for row in rows) - 100) < 0.1, said
    assert all(float(most) <= float(every) + 1e-3 for _, every, _, most in rows), said
    spent = {name: float(seconds) for name, seconds, _, _ in rows}
    assert spent["training"] > 0.01 and spent["measuring"] > 0.01 and spent["alone"] < 0.01, said
often, rarely = (float(re.search(r"^measuring +[\d.]+ +([\d.]+)", run(1, every, "--times")[0], re.M)[1]) for every in (1, 0))
assert often > 1.5 * rarely, (often, rarely)
