"""Stopped, killed, crowded out: a sweep that is started again ends with the same bytes as one that was left alone."""
# processors: 1
# timeout: 180
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np

PROGRAM, MPIRUN = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"])
CIRCUMSTANCES = {"started", "seconds", "host", "rank", "checksum"}
SWEEP = """
name: stop
base:
  data: {modalities: 2, classes: 4, predictive: 2, noise: 2, train: 512, test: 128}
  model: {encoder: [16, 8], width: 16}
  train: {epochs: 40, batch: 32}
axes:
  method: [vanilla, kd, ebr]
  seed: {from: 0, count: SEEDS}
measure: {every: 1}
"""


def write(seeds):
    Path("stop.yaml").write_text(SWEEP.replace("SEEDS", str(seeds)), encoding="utf-8")


def command(output, ranks=2):
    launcher = MPIRUN + ["-n", str(ranks)] if ranks > 1 else []
    return launcher + [PROGRAM, "run", "stop.yaml", "-o", output]


def run(output, ranks=2):
    return subprocess.run(command(output, ranks), capture_output=True, text=True, timeout=120)


def contents(path):
    found = {}
    with h5py.File(path) as file:
        order = np.argsort(file["runs"]["id"])
        for name in file["runs"].dtype.names:
            if name not in CIRCUMSTANCES:
                found[name] = np.ascontiguousarray(file["runs"][name][order]).tobytes()
        for group in ("curves", "spectra"):
            for name, dataset in file[group].items():
                found[f"{group}/{name}"] = dataset[...][order].tobytes()
    return found


def done_count(path):
    try:
        with h5py.File(path) as file:
            return int((file["runs"]["status"] == b"done").sum())
    except OSError:
        return 0


def interrupt(sent, output, ranks, code):
    """Sends the signal to mpirun (or to the program itself) once some runs are done, then starts again."""
    with subprocess.Popen(command(output, ranks), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + 60
        while done_count(output) < 3 and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
        process.send_signal(sent)
        _, said = process.communicate(timeout=60)
    before = done_count(output)
    assert process.returncode == code, (sent, process.returncode, said)
    assert 3 <= before < 36, f"{before} runs were done when {sent.name} came: that tests nothing"
    if code == 75:
        assert "stopped with" in said and "the same command goes on" in said, said
    again = run(output, ranks)
    assert again.returncode == 0 and f"{36 - before} to do" in again.stderr, (before, again.stderr)
    assert contents(output) == whole, f"{sent.name}, and then resumed: other bytes"


write(12)
assert run("whole.h5").returncode == 0
whole = contents("whole.h5")
interrupt(signal.SIGINT, "ctrl-c.h5", 1, 75)
interrupt(signal.SIGTERM, "terminated.h5", 1, 75)
interrupt(signal.SIGUSR1, "warned.h5", 1, 75)
interrupt(signal.SIGKILL, "killed.h5", 1, -signal.SIGKILL)

# A second job on the same file is told so, and leaves it alone.
longer = ["-s", "train.epochs=300"]
with subprocess.Popen(command("shared.h5", 2) + longer, stderr=subprocess.DEVNULL) as first:
    while done_count("shared.h5") < 1:
        time.sleep(0.02)
    second = subprocess.run(command("shared.h5", 1) + longer, capture_output=True, text=True, timeout=120)
    assert second.returncode == 3 and "shared.h5: another job is writing it (process " in second.stderr, second
    assert first.wait(timeout=120) == 0
assert done_count("shared.h5") == 36

# More seeds: only what is new is run. Fewer: what is there stays.
write(14)
more = run("whole.h5")
assert more.returncode == 0 and "42 runs, 6 to do" in more.stderr, more
write(12)
fewer = run("whole.h5")
assert fewer.returncode == 0 and "0 to do" in fewer.stderr, fewer
with h5py.File("whole.h5") as file:
    states = [status.decode() for status in file["runs"]["status"]]
    assert states.count("done") == 36 and states.count("removed") == 6, states

# A full disk, if this machine lets a test mount one.
Path("small").mkdir()
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", "small"], capture_output=True).returncode == 0:
    try:
        full = run("small/stop.h5")
        assert full.returncode == 3, full
        assert "small/stop.h5: no room for its" in full.stderr, full
        assert "Signal:" not in full.stderr and not os.listdir("small"), (full.stderr, os.listdir("small"))
    finally:
        subprocess.run(["umount", "small"], check=True)
else:
    print("no tmpfs can be mounted here: the full disk was not tried")
