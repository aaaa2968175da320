"""PETSc and SLEPc objects and memory that a command leaves behind: none. PETSc's own account prints only what is left. Nor has
it anything to say when a reader such as head ends."""
import os
import shlex
import signal
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
from tiny_sweep import SWEEP

PROGRAM, MPIRUN = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"])


def output(ranks, *words):
    done = subprocess.run([*MPIRUN, "-n", str(ranks), PROGRAM, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (words, done)
    return done.stdout + done.stderr


with open("tiny.yaml", "w") as file:
    file.write(SWEEP)
subprocess.run([PROGRAM, "run", "-q", "-o", "tiny.h5", "tiny.yaml", "--", "-malloc_debug", "-malloc_dump"], check=True)
np.save("matrix.npy", np.random.default_rng(0).normal(size=(60, 40)))
for ranks, *words in ((1, "law", "tiny.h5", "--resamples", "20"), (1, "spectrum", "matrix.npy"), (2, "spectrum", "matrix.npy"),
                      (2, "spectrum", "matrix.npy", "--top", "3")):
    # Watching each of the fits' many allocations would take a minute.
    dump = ["-objects_dump"] if words[0] == "law" else ["-malloc_debug", "-malloc_dump", "-objects_dump"]
    without, dumped = output(ranks, *words), output(ranks, *words, "--", *dump)
    assert len(without.splitlines()) == len(dumped.splitlines()), (words, without, dumped)
    assert "never freed" not in dumped and "\n[ 0]" not in dumped, (words, dumped)

# More than is kept back until the end.
np.save("large.npy", np.random.default_rng(0).normal(size=(500, 400)))
read, write = os.pipe()
os.close(read)
done = subprocess.run([PROGRAM, "spectrum", "large.npy", "--values"], stdout=write, stderr=subprocess.PIPE, text=True,
                      timeout=60)
os.close(write)
assert (done.returncode, done.stderr) == (-signal.SIGPIPE, ""), done
