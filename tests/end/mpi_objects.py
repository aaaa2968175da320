"""MPI objects that a command makes and does not free: none, on any number of ranks, and none when a signal ends it. Counted by
tests/mpi_account.c, which is preloaded."""
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
from tiny_sweep import SWEEP

PROGRAM, MPIRUN, BUILD = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"]), Path(os.environ["BUILD"])
if "fsanitize" in (BUILD / "CMakeCache.txt").read_text():
    print("skipped: a sanitizer wants to be the first that is preloaded")
    sys.exit(77)
ACCOUNT = next((BUILD / "tests").glob("*mpi-account.so"))
LINE = re.compile(r"MPI account: rank (\d+): ([a-z ]+): (\d+) made, (\d+) freed")
WIDE = SWEEP.replace("tiny", "wide").replace("batch: 16}", "batch: 16, shards: 2}\n  schedule: {team: 2}")
LONG = SWEEP.replace("tiny", "long").replace("epochs: 1,", "epochs: 1000000,").replace("every: 1,", "every: 0,")


def command(ranks, *words):
    return [*MPIRUN, "-n", str(ranks), "env", f"LD_PRELOAD={ACCOUNT}", PROGRAM, *words]


def check(ranks, words, errors):
    """How many of each kind all ranks made; every one of them is freed."""
    lines = LINE.findall(errors)
    assert len(lines) == 8 * ranks and {int(line[0]) for line in lines} == set(range(ranks)), (words, errors)
    made = {}
    for _, kind, new, gone in lines:
        made[kind] = made.get(kind, 0) + int(new)
        assert new == gone, (words, kind, new, gone)
    print(ranks, " ".join(words), {kind: count for kind, count in made.items() if count})
    return made


def account(ranks, *words, code=0):
    done = subprocess.run(command(ranks, *words), capture_output=True, text=True, timeout=100)
    assert done.returncode == code, (words, done)
    return check(ranks, words, done.stderr)


for name, text in (("tiny", SWEEP), ("wide", WIDE), ("long", LONG), ("typo", SWEEP.replace("width", "widht"))):
    Path(f"{name}.yaml").write_text(text)
np.save("matrix.npy", np.random.default_rng(0).normal(size=(60, 40)))
np.save("spoiled.npy", np.full((60, 40), np.nan))

for ranks in (1, 2, 4):
    made = account(ranks, "run", "-q", "-o", f"tiny{ranks}.h5", "tiny.yaml")
    # Otherwise nothing is counted at all, and all would seem well.
    assert made["communicators"] >= ranks and made["windows"] >= ranks, made
    account(ranks, "law", "tiny1.h5", "--resamples", "20")
    account(ranks, "spectrum", "matrix.npy")
account(4, "run", "-q", "-o", "wide.h5", "wide.yaml")
account(2, "run", "-q", "-o", "tiny2.h5", "tiny.yaml")
account(2, "run", "-q", "-o", "typo.h5", "typo.yaml", code=2)
account(2, "spectrum", "spoiled.npy", code=2)

running = subprocess.Popen(command(2, "run", "-q", "-o", "long.h5", "long.yaml"), stderr=subprocess.PIPE, text=True)
while not Path("long.h5").exists():
    time.sleep(0.1)
time.sleep(2)
running.send_signal(signal.SIGUSR1)  # mpirun hands this one on, and stays to print what ranks say
errors = running.communicate(timeout=60)[1]
assert running.returncode == 75, (running.returncode, errors)
check(2, ["run", "stopped by a signal"], errors)
