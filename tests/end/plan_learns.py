"""What finished runs took is what plan predicts of those that are left."""
# processors: 1
import json
import os
import subprocess

import h5py

PROGRAM = os.environ["EBRSWEEP"]
SWEEP = """
name: told
base: {data: {source: synthetic, modalities: 3, train: 4096, test: 256}, train: {epochs: 60}}
axes: {seed: {from: 0, count: COUNT}}
measure: {every: 0, spectra: []}
"""


def call(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=True).stdout


def write(count):
    with open("told.yaml", "w") as file:
        file.write(SWEEP.replace("COUNT", str(count)))


write(4)
assert json.loads(call("plan", "told.yaml", "--json"))["calibrated_by_runs"] == 0
call("run", "told.yaml", "-q")
with h5py.File("told.h5") as file:
    seconds = file["runs"]["seconds"]
write(12)
plan = json.loads(call("plan", "told.yaml", "--json"))
assert seconds.sum() > 1 and plan["calibrated_by_runs"] == 4 and plan["new"] == 8, (seconds, plan)
assert abs(3600 * plan["core_hours"] / (8 * seconds.mean()) - 1) < 1e-4, (plan, seconds)
assert "like those that did the finished runs" in call("plan", "told.yaml")
