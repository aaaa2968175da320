"""Long runs stopped in the middle, by a signal and by walltime: they go on from where they were, to the same bytes."""
# timeout: 240
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
from fault_tools import MPIRUN, PROGRAM, done_runs

SWEEP = """
name: long
base:
  data: {modalities: 2, classes: 4, predictive: 2, noise: 2, train: 2048, test: 128}
  model: {encoder: [16, 8], width: 16}
  train: {epochs: EPOCHS, batch: 32}
axes: {method: [ebr], seed: [0, 1]}
measure: {every: 50, unimodal: false, contributions: false}
"""


def command(output, *options):
    return MPIRUN + ["-n", "2", PROGRAM, "run", "long.yaml", "-q", "-o", output, *options]


def start(output, *options):
    begun = time.monotonic()
    done = subprocess.run(command(output, *options), capture_output=True, text=True, timeout=120)
    return done, time.monotonic() - begun


def checkpoints(output):
    return sorted(os.listdir(output + ".checkpoints")) if os.path.isdir(output + ".checkpoints") else []


def both_run(output):
    """The file may be on its way: that it opens at once is not what is tested here."""
    try:
        with h5py.File(output) as file:
            return (file["runs"]["status"] == b"running").all()
    except (OSError, KeyError):
        return False


def stop(output, delay):
    """SIGUSR1 so many seconds after both runs have begun; what was said."""
    with subprocess.Popen(command(output), stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + 60
        while not both_run(output) and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
        time.sleep(delay)
        process.send_signal(signal.SIGUSR1)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 75 and "2 of 2 runs left" in said, (process.returncode, said)
    assert len(checkpoints(output)) == 2 and not done_runs(output), checkpoints(output)


Path("long.yaml").write_text(SWEEP.replace("EPOCHS", "3000"), encoding="utf-8")
_, span = start("whole.h5")
whole = done_runs("whole.h5")
assert len(whole) == 2 and span > 3, (len(whole), span)

stop("signal.h5", 0.5 * span)
again, rest = start("signal.h5")
assert again.returncode == 0 and rest < 0.8 * span, (again, rest, span)
assert done_runs("signal.h5") == whole and not os.path.exists("signal.h5.checkpoints")

rounds = 0
while rounds < 20:
    done, seconds = start("walltime.h5", "--walltime", "0:00:02")
    rounds += 1
    if done.returncode == 0:
        break
    assert done.returncode == 75 and seconds < 6, (done, seconds)
assert 2 <= rounds < 20 and done_runs("walltime.h5") == whole, rounds

# A checkpoint of another version costs time, and is said.
stop("old.h5", 0.2 * span)
for name in checkpoints("old.h5"):
    with open(f"old.h5.checkpoints/{name}", "r+b") as file:
        file.write(b"ebrckpt0")
again, _ = start("old.h5")
assert again.returncode == 0 and again.stderr.count("is a checkpoint of another version: the run starts anew") == 2, again
assert done_runs("old.h5") == whole and not os.path.exists("old.h5.checkpoints")
print(f"{span:.1f} s whole, {rest:.1f} s for the rest after half of it, {rounds} rounds of 2 s walltime")
