"""SIGTERM and SIGUSR1, to all ranks or to one alone: exit code 75, nothing lost, and the same command completes."""
# processors: 1
# timeout: 300
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
from fault_tools import MPIRUN, PROGRAM, done_runs, ranks_of

Path("signals.yaml").write_text("""
name: signals
base:
  data: {modalities: 2, classes: 4, predictive: 2, noise: 2, train: 512, test: 128}
  model: {encoder: [16, 8], width: 16}
  train: {epochs: 40, batch: 32}
axes:
  method: [vanilla, kd, ebr]
  seed: {from: 0, count: 32}
measure: {every: 1}
""", encoding="utf-8")


def command(output):
    return MPIRUN + ["-n", "2", PROGRAM, "run", "signals.yaml", "-o", output]


def done_so_far(path):
    """The file may be on its way: that it opens at once is not what is tested here."""
    try:
        return len(done_runs(path))
    except (OSError, KeyError):
        return 0


def stop(sent, count, output):
    with subprocess.Popen(command(output), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + 60
        while done_so_far(output) < 3 and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.01)
        for rank in ranks_of(process.pid)[:count]:
            os.kill(rank, sent)
        _, said = process.communicate(timeout=60)
    done = done_runs(output)
    assert process.returncode == 75, (sent, count, process.returncode, said)
    assert "the same command goes on" in said, said
    assert 3 <= len(done) < 96, f"{len(done)} runs were done: that tests nothing"
    again = subprocess.run(command(output), capture_output=True, text=True, timeout=120)
    assert again.returncode == 0 and f"{96 - len(done)} to do" in again.stderr, (len(done), again)
    assert done_runs(output) == whole, (sent, count, "resumed, and other runs than in an undisturbed sweep")


subprocess.run(command("whole.h5"), check=True, timeout=120, stderr=subprocess.DEVNULL)
whole = done_runs("whole.h5")
assert len(whole) == 96, len(whole)
for sent in (signal.SIGTERM, signal.SIGUSR1):
    for count in (2, 1):
        stop(sent, count, f"{sent.name}-{count}.h5")
