"""Long runs stopped in the middle, by a signal and by walltime: they go on from where they were, to the same bytes."""
# timeout: 600
import os
import shutil
import signal
import subprocess
import sys
import time
from math import ceil
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
    done = subprocess.run(command(output, *options), capture_output=True, text=True, timeout=300)
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
    """SIGUSR1 so many seconds after both runs have begun, and sooner where they had ended by then: a shared machine does
    not keep its pace."""
    for _ in range(8):
        with subprocess.Popen(command(output), stderr=subprocess.PIPE, text=True) as process:
            limit = time.monotonic() + 60
            while not both_run(output) and process.poll() is None and time.monotonic() < limit:
                time.sleep(0.02)
            time.sleep(delay)
            process.send_signal(signal.SIGUSR1)
            _, said = process.communicate(timeout=120)
        if process.returncode == 75 and "2 of 2 runs left" in said:
            break
        assert process.returncode in (0, 75, -signal.SIGUSR1), (process.returncode, said)
        os.unlink(output)
        shutil.rmtree(output + ".checkpoints", ignore_errors=True)
        delay /= 2
    assert process.returncode == 75 and "2 of 2 runs left" in said, (process.returncode, said)
    assert len(checkpoints(output)) == 2 and not done_runs(output), checkpoints(output)


def train(output, epochs):
    """Both runs as a whole; how long the shorter one took."""
    Path("long.yaml").write_text(SWEEP.replace("EPOCHS", str(epochs)), encoding="utf-8")
    whole_run, _ = start(output)
    assert whole_run.returncode == 0 and len(done_runs(output)) == 2, whole_run
    with h5py.File(output) as file:
        return float(file["runs"]["seconds"].min())


# As many epochs as take some seconds in this build, on this machine, and longer than a job takes to start and end.
brief = train("short.h5", 100)
_, idle = start("short.h5")
seconds = train("whole.h5", max(200, int(100 * max(4, 3 * idle) / brief)))
whole = done_runs("whole.h5")

stop("signal.h5", 0.5 * seconds)
again, _ = start("signal.h5")
assert again.returncode == 0 and again.stderr == "", again
assert done_runs("signal.h5") == whole and not os.path.exists("signal.h5.checkpoints")

# No round has the time for a whole run: it comes to its end because each goes on where the one before it was.
walltime = ceil(idle + seconds / 3)
rounds = 0
while rounds < 20:
    done, took = start("walltime.h5", "--walltime", f"0:00:{walltime:02d}")
    rounds += 1
    if done.returncode == 0:
        break
    assert done.returncode == 75 and "anew" not in done.stderr, done
    assert took < walltime + 2 * idle + 10, (done, took)
assert 2 <= rounds < 20 and done_runs("walltime.h5") == whole, rounds

# A checkpoint of another version costs time, and is said.
stop("old.h5", 0.2 * seconds)
for name in checkpoints("old.h5"):
    with open(f"old.h5.checkpoints/{name}", "r+b") as file:
        file.write(b"ebrckpt0")
again, _ = start("old.h5")
assert again.returncode == 0 and again.stderr.count("is a checkpoint of another version: the run starts anew") == 2, again
assert done_runs("old.h5") == whole and not os.path.exists("old.h5.checkpoints")
print(f"{idle:.1f} s a job with nothing to do, {seconds:.1f} s a run, {rounds} rounds of {walltime} s walltime")
