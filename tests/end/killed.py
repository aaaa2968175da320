"""A run that is killed leaves its name in the lock file: status and submit know better, where they can, and so does the
next run."""
# processors: 1
import json
import os
import signal
import socket
import subprocess
import time

PROGRAM = os.environ["EBRSWEEP"]
SWEEP = """
name: killed
base:
  data: {source: synthetic, modalities: 2, classes: 8, train: 4096, test: 512}
  train: {epochs: 40}
axes: {seed: {from: 0, count: 50}}
measure: {every: 0}
"""


def call(*arguments, code=0):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (arguments, done)
    return done


def writer():
    return json.loads(call("status", "killed.h5", "--json").stdout)["writer"]


def submit(code=0):
    return call("submit", "killed.yaml", "-o", "killed.h5", "--scheduler", "slurm", "--dry-run", code=code)


with open("killed.yaml", "w") as file:
    file.write(SWEEP)
run = subprocess.Popen([PROGRAM, "run", "killed.yaml", "-q", "-o", "killed.h5"])
while not os.path.exists("killed.h5.lock") or not os.path.getsize("killed.h5.lock"):
    assert run.poll() is None, run.returncode
    time.sleep(0.02)
holder = f"process {run.pid} on {socket.gethostname()}"
while not os.path.exists("killed.h5"):
    time.sleep(0.02)
assert writer() == holder, writer()
run.send_signal(signal.SIGKILL)
run.wait()
assert open("killed.h5.lock").read().strip() == holder and writer() == "", writer()
submit()
# What runs elsewhere cannot be asked.
with open("killed.h5.lock", "w") as file:
    file.write("process 1 on another-host\n")
assert writer() == "process 1 on another-host"
# A later run asks the lock itself, which died with its holder, and takes the name away in the end.
again = subprocess.Popen([PROGRAM, "run", "killed.yaml", "-q", "-o", "killed.h5"])
while writer() != f"process {again.pid} on {socket.gethostname()}":
    assert again.poll() is None, again.returncode
    time.sleep(0.02)
again.send_signal(signal.SIGTERM)
assert again.wait(timeout=60) == 75 and not os.path.exists("killed.h5.lock"), again.returncode
