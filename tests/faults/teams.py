"""A run that a team has in hand is stopped, or one of its ranks is killed: another team, or a rank by itself, goes on or
does it again to the same bytes."""
# processors: 1
# timeout: 240
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
from fault_tools import CIRCUMSTANCES, MPIRUN, PROGRAM, done_runs, ranks_of

LIMIT = 100 * int(os.environ["PATIENCE"])

CIRCUMSTANCES.add("schedule.team")
Path("long.yaml").write_text("""
name: long
base:
  data: {modalities: 2, classes: 4, predictive: 2, noise: 2, train: 2048, test: 128}
  model: {encoder: [16, 8], width: 16}
  train: {epochs: 1500, batch: 128, shards: 4}
axes: {method: [ebr, kd]}
measure: {every: 50, unimodal: false, contributions: false}
""", encoding="utf-8")


def command(ranks, team, output):
    launcher = MPIRUN + ["-n", str(ranks)] if ranks > 1 else []
    return launcher + [PROGRAM, "run", "long.yaml", "-q", "-o", output, "--set", f"schedule.team={team}"]


def finish(ranks, team, output):
    done = subprocess.run(command(ranks, team, output), capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done


def begun(output):
    """The file may be on its way: that it opens at once is not what is tested here."""
    try:
        with h5py.File(output) as file:
            return (file["runs"]["status"] == b"running").any()
    except (OSError, KeyError):
        return False


def interrupt(ranks, team, output, after, how):
    """Signals the launcher, or kills the last rank, so many seconds after a run has begun."""
    with subprocess.Popen(command(ranks, team, output), stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + 60
        while not begun(output) and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.01)
        time.sleep(after)
        if how == signal.SIGKILL:
            os.kill(ranks_of(process.pid)[-1], how)
        else:
            process.send_signal(how)
        _, said = process.communicate(timeout=60)
    return process.returncode, said


finish(1, 0, "whole.h5")
whole = done_runs("whole.h5")
assert len(whole) == 2, whole
# The first to be drawn is ebr; kd begins with its teachers, of which nothing is kept.
with h5py.File("whole.h5") as file:
    first = float(file["runs"]["seconds"][file["runs"]["method"] == b"ebr"][0])

code, said = interrupt(2, 2, "stopped.h5", 0.3 * first, signal.SIGUSR1)
assert code == 75 and "the same command goes on" in said, (code, said)
assert len(os.listdir("stopped.h5.checkpoints")) == 1, os.listdir("stopped.h5.checkpoints")
code, said = interrupt(4, 4, "stopped.h5", 0.1 * first, signal.SIGUSR1)
assert code == 75 and "anew" not in said, (code, said)
finish(1, 1, "stopped.h5")
assert done_runs("stopped.h5") == whole and not os.path.exists("stopped.h5.checkpoints")

code, said = interrupt(2, 2, "killed.h5", 0.3 * first, signal.SIGKILL)
assert code != 0 and len(done_runs("killed.h5")) < 2, (code, said)
finish(2, 2, "killed.h5")
assert done_runs("killed.h5") == whole
