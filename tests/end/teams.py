"""Wide runs by teams and small ones by ranks by themselves: the same bytes on 1, 2 and 4 ranks, whatever schedule.team is;
plan tells the teams; a run that fails or takes too long does so for all of its team."""
# timeout: 120
import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
from fault_tools import CIRCUMSTANCES, MPIRUN, PROGRAM, done_runs

CIRCUMSTANCES.add("schedule.team")
SWEEP = """
name: mixed
base:
  data: {modalities: 3, classes: 4, predictive: 3, noise: 3, train: 512, test: 96}
  model: {encoder: [8, 4], width: 16}
  train: {epochs: 2, batch: 512, rate: 1e-3}
  missing: {train: [0.2]}
axes:
  method: [vanilla, unimodal, kd+ebr]
  model.width: [16, 1024]
  seed: [0]
measure: {spectra: [head, fused, latent, updates, weights], every: 1, missing: [0.5], probe: true, bootstrap: 10}
"""


def run(ranks, output, *options, sweep="mixed.yaml"):
    launcher = MPIRUN + ["-n", str(ranks)] if ranks > 1 else []
    command = launcher + [PROGRAM, "run", sweep, "-o", output, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def plan(*options):
    done = subprocess.run([PROGRAM, "plan", "mixed.yaml", *options], capture_output=True, text=True, check=True)
    return done.stdout


def rows(path, *columns):
    with h5py.File(path) as file:
        return [tuple(row[name] for name in columns) for row in file["runs"][...]]


Path("mixed.yaml").write_text(SWEEP, encoding="utf-8")
one = run(1, "one.h5")
assert one.returncode == 0 and "teams" not in one.stderr, one
whole = done_runs("one.h5")
assert len(whole) == 6
for ranks, team, said in ((2, 2, "3 of them by teams of up to 2 ranks"), (4, 2, "3 of them by teams of up to 2 ranks"),
                          (4, 0, "by teams of up to 2 ranks"), (3, 2, "3 of them by teams of up to 2 ranks")):
    output = f"on-{ranks}-{team}.h5"
    done = run(ranks, output, "--set", f"schedule.team={team}")
    assert done.returncode == 0 and said in done.stderr, (ranks, team, done)
    assert done_runs(output) == whole, f"{ranks} ranks, schedule.team {team}: other bytes than one rank"

asked = ("-o", "none.h5", "-s", "schedule.team=2")
text, told = plan(*asked), json.loads(plan(*asked, "--json"))
assert "3 runs by 2 ranks each, then 3 runs by 1 rank each" in text, text
assert told["teams"] == [{"ranks": 2, "runs": 3}, {"ranks": 1, "runs": 3}], told
assert "teams on" not in plan("-o", "none.h5", "-s", "schedule.team=1")
assert json.loads(plan("-o", "one.h5", "--json"))["teams"] == []

Path("bad.yaml").write_text(SWEEP.replace("  missing:", "  schedule: {team: 3}\n  missing:"), encoding="utf-8")
bad = run(2, "bad.h5", sweep="bad.yaml")
assert bad.returncode == 2 and not os.path.exists("bad.h5"), bad
assert bad.stderr.count("bad.yaml:7:20: schedule.team is 1, 2, 4, 8 or 16") == 1, bad.stderr

for ranks in (1, 2):
    output = f"scalapack-{ranks}.h5"
    done = run(ranks, output, "--set", "measure.distributed=1", "--set", "schedule.team=2")
    assert done.returncode == 0, done
    with h5py.File(output) as file, h5py.File("one.h5") as other:
        for name in ("head", "updates"):
            found, known = file["spectra"][name][...], other["spectra"][name][...]
            largest = np.nanmax(known, axis=(1, 2), keepdims=True)
            assert (np.isnan(found) == np.isnan(known)).all()
            assert np.nanmax(abs(found - known) / largest) < 1e-14, (ranks, name)
        for name in ("fused", "head_weights"):
            assert file["spectra"][name][...].tobytes() == other["spectra"][name][...].tobytes(), (ranks, name)

diverging = ("--set", "train.rate=1000", "--set", "train.optimizer=sgd", "--set", "schedule.team=2")
failed = run(4, "failed.h5", *diverging)
alone = run(1, "failed-alone.h5", *diverging)
assert failed.returncode == alone.returncode == 1, (failed, alone)
assert rows("failed.h5", "id", "status", "reason") == rows("failed-alone.h5", "id", "status", "reason")
assert {status for status, in rows("failed.h5", "status")} == {b"failed"}
few = run(4, "few.h5", *diverging, "--max-failures", "2")
assert few.returncode == 1 and "stopped after" in few.stderr, few
late = run(2, "late.h5", "--set", "train.epochs=100000", "--set", "schedule.team=2", "--run-timeout", "0:00:01", "--set",
           "method=vanilla", "--set", "model.width=1024", "--set", "measure.every=0")
assert late.returncode == 1, late
assert rows("late.h5", "reason") == [(b"took longer than 1 s",)], rows("late.h5", "reason")
