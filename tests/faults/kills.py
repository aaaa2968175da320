"""Ranks killed at random instants, over many resumes of one sweep: what is marked done stays, and the end is the same."""
# processors: 1
# timeout: 900
# FAULT_KILLS sets how many kills there are: 8 here, 200 for the figure that the project promises.
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
from fault_tools import MPIRUN, PROGRAM, done_runs, ranks_of

KILLS, RANKS = int(os.environ.get("FAULT_KILLS", "8")), 2
SWEEP = """
name: faults
base:
  data: {modalities: 2, classes: 4, predictive: 2, noise: 2, train: 512, test: 128}
  model: {encoder: [16, 8], width: 16}
  train: {epochs: 40, batch: 32}
axes:
  method: [vanilla, kd, ebr]
  seed: {from: 0, count: 32}
measure: {every: 1}
"""


def command(output):
    return MPIRUN + ["-n", str(RANKS), PROGRAM, "run", "faults.yaml", "-q", "-o", output]


def last_words(process):
    """Open MPI 4's mpiexec may wait for a lock of PMIx's at its own end, once its ranks are gone: then it is ended, too."""
    try:
        return process.communicate(timeout=60)[1]
    except subprocess.TimeoutExpired:
        assert not ranks_of(process.pid), "a rank goes on though another was killed a minute ago"
        process.kill()
        return process.communicate()[1]


def start_and_kill(output, delay, only_one, choice):
    """Starts the sweep and kills after `delay` from when all ranks are there; False when it had ended by then."""
    with subprocess.Popen(command(output), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + 60
        while len(ranks_of(process.pid)) < RANKS and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.002)
        time.sleep(delay)
        ranks = ranks_of(process.pid)
        victims = ([choice.choice(ranks)] if only_one else ranks) if len(ranks) == RANKS else []
        for victim in victims:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
        said = last_words(process)
    if not victims:
        assert process.returncode == 0, (process.returncode, said)
        return False
    assert process.returncode != 0 or len(done_runs(output)) == len(whole), (process.returncode, said)
    return process.returncode != 0


def check(output, before):
    if not os.path.exists(output):
        assert not before, f"{output} is gone, and {len(before)} runs with it"
        return before
    now = done_runs(output)
    lost = [name for name in before if name not in now]
    other = [name for name in now if now[name] != whole[name]]
    assert not lost, f"runs that were done are no longer: {lost}"
    assert not other, f"runs are marked done, but have other bytes than in an undisturbed sweep: {other}"
    return now


Path("faults.yaml").write_text(SWEEP, encoding="utf-8")
begun = time.monotonic()
subprocess.run(command("whole.h5"), check=True, timeout=120)
span = time.monotonic() - begun
whole = done_runs("whole.h5")
assert len(whole) == 96, len(whole)

choice = random.Random(6)
kills = single = inside = sweeps = starts = 0
while kills < KILLS:
    output, done = f"killed-{sweeps}.h5", {}
    while kills < KILLS and len(done) < len(whole):
        starts += 1
        only_one = choice.random() < 0.4
        if start_and_kill(output, choice.uniform(0, 0.7 * span), only_one, choice):
            kills += 1
            single += only_one
        before, done = len(done), check(output, done)
        inside += before < len(done) < len(whole)
    last = subprocess.run(command(output), capture_output=True, text=True, timeout=120)
    assert last.returncode == 0, last
    assert check(output, done) == whole, "resumed to the end, and other runs than in an undisturbed sweep"
    os.unlink(output)
    sweeps += 1
assert inside >= KILLS // 8, f"only {inside} of {kills} kills came while runs were being finished: that tests little"
print(f"{kills} kills, {single} of them of one rank only, {inside} after further runs were done; {starts} starts, "
      f"{sweeps} sweeps ended with the bytes of an undisturbed one")
