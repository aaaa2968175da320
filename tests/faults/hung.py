"""A run that hangs ends the job with code 75 and is left out by the next start, and by that one alone."""
import json
import os
import subprocess

PROGRAM, MPIRUN = os.environ["EBRSWEEP"], os.environ["MPIRUN"].split()
SWEEP = """
name: hung
base: {data: {source: synthetic, modalities: 2, test: 32}, model: {encoder: [8, 4], width: 12}, train: {batch: 4, epochs: 1}}
axes:
  data.train: [64, 3000000]
  seed: {when: {data.train: [64]}, values: [0, 1, 2, 3, 4, 5]}
measure: {every: 0, spectra: []}
"""


def call(code, *arguments, ranks=1):
    done = subprocess.run([*MPIRUN, "-n", str(ranks), PROGRAM, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done
    return done


def status():
    return json.loads(call(0, "status", "hung.h5", "--json").stdout)


with open("hung.yaml", "w") as file:
    file.write(SWEEP)
done = call(75, "run", "hung.yaml", "-q", "--run-timeout", "0:00:01", ranks=2)
assert "hung: run " in done.stderr and "was in one epoch still after 3 s, and 1 s were allowed" in done.stderr, done
assert len(os.listdir("hung.h5.checkpoints")) == 1
done = call(1, "run", "hung.yaml", "-q", "--run-timeout", "0:00:01", ranks=2)
assert "1 of 7 runs failed" in done.stderr, done
counts = status()
assert counts["done"] == 6 and counts["failed"] == 1, counts
assert "was in one epoch still" in call(0, "show", "hung.h5", "--where", "status == failed", "--columns", "reason").stdout
assert not os.path.exists("hung.h5.checkpoints")
# Asked to, it is tried again.
call(75, "run", "hung.yaml", "-q", "--run-timeout", "0:00:01", "--retry-failed")
