"""Long runs stopped in the middle, by a signal and by walltime: they go on from where they were, to the same bytes."""
# timeout: 240
import os
import shutil
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
    """SIGUSR1 so many seconds after both runs have begun, and sooner where they had ended by then: a shared machine does
    not keep its pace."""
    for _ in range(8):
        with subprocess.Popen(command(output), stderr=subprocess.PIPE, text=True) as process:
            limit = time.monotonic() + 60
            while not both_run(output) and process.poll() is None and time.monotonic() < limit:
                time.sleep(0.02)
            time.sleep(delay)
            process.send_signal(signal.SIGUSR1)
            _, said = process.communicate(timeout=60)
        if process.returncode == 75 and "2 of 2 runs left" in said:
            break
        assert process.returncode in (0, 75, -signal.SIGUSR1), (process.returncode, said)
        os.unlink(output)
        shutil.rmtree(output + ".checkpoints", ignore_errors=True)
        delay /= 2
    assert process.returncode == 75 and "2 of 2 runs left" in said, (process.returncode, said)
    assert len(checkpoints(output)) == 2 and not done_runs(output), checkpoints(output)


Path("long.yaml").write_text(SWEEP.replace("EPOCHS", "2000"), encoding="utf-8")
done, _ = start("whole.h5")
whole = done_runs("whole.h5")
assert done.returncode == 0 and len(whole) == 2, done
with h5py.File("whole.h5") as file:
    seconds = float(file["runs"]["seconds"].min())

stop("signal.h5", 0.5 * seconds)
again, _ = start("signal.h5")
assert again.returncode == 0 and again.stderr == "", again
assert done_runs("signal.h5") == whole and not os.path.exists("signal.h5.checkpoints")

# No round has the time for a whole run: it comes to its end because each goes on where the one before it was.
walltime = max(1, int(seconds / 4))
rounds = 0
while rounds < 60:
    done, took = start("walltime.h5", "--walltime", f"0:00:{walltime:02d}")
    rounds += 1
    if done.returncode == 0:
        break
    assert done.returncode == 75 and "anew" not in done.stderr, done
    assert took < walltime + 10, (done, took)
assert 2 <= rounds < 60 and done_runs("walltime.h5") == whole, rounds

# A checkpoint of another version costs time, and is said.
stop("old.h5", 0.2 * seconds)
for name in checkpoints("old.h5"):
    with open(f"old.h5.checkpoints/{name}", "r+b") as file:
        file.write(b"ebrckpt0")
again, _ = start("old.h5")
assert again.returncode == 0 and again.stderr.count("is a checkpoint of another version: the run starts anew") == 2, again
assert done_runs("old.h5") == whole and not os.path.exists("old.h5.checkpoints")
print(f"{seconds:.1f} s a run, {rounds} rounds of {walltime} s walltime")
