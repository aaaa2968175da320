"""A sweep gives the same bytes on 1, 2 and 4 ranks: every column but times, hosts and ranks, every curve and spectrum.
Resuming a finished sweep changes nothing."""
# processors: 1
# timeout: 120
import os
import shlex
import subprocess

import h5py
import numpy as np

SWEEP = """
name: bits
base:
  data: {source: synthetic, modalities: 3, classes: 4, predictive: 3, noise: 3, train: 256, test: 128}
  model: {encoder: [16, 8], width: 24}
  train: {epochs: 4, batch: 32}
axes:
  method: [vanilla, unimodal, kd, ebr, kd+ebr]
  model.fusion: {when: {method: [vanilla, kd, ebr, kd+ebr]}, values: [concat, grape, muse]}
  seed: {from: 0, count: 2}
measure: {spectra: [head, fused, latent, updates], every: 2, missing: [0.5], missing_count: [1], autoencoder: 8,
  probe: true, bootstrap: 20}
"""
CIRCUMSTANCES = {"started", "seconds", "host", "rank", "checksum"}


def run(ranks, output):
    command = shlex.split(os.environ["MPIRUN"]) + ["-n", str(ranks), os.environ["EBRSWEEP"]]
    subprocess.run(command + ["run", "--quiet", "bits.yaml", "-o", output], check=True)


def contents(path):
    """Everything that a run decides, by name, as bytes."""
    found = {}
    with h5py.File(path) as file:
        for name in file["runs"].dtype.names:
            if name not in CIRCUMSTANCES:
                found[name] = np.ascontiguousarray(file["runs"][name]).tobytes()
        for group in ("curves", "spectra"):
            for name, dataset in file[group].items():
                found[f"{group}/{name}"] = dataset[...].tobytes()
    return found


with open("bits.yaml", "w", encoding="utf-8") as sweep:
    sweep.write(SWEEP)
for ranks in (1, 2, 4):
    run(ranks, f"on-{ranks}.h5")
one = contents("on-1.h5")
assert set(one["status"].replace(b"\0", b" ").split()) == {b"done"}, "some runs are not done"
for ranks in (2, 4):
    other = contents(f"on-{ranks}.h5")
    assert one.keys() == other.keys()
    differing = [name for name in one if one[name] != other[name]]
    assert not differing, f"1 and {ranks} ranks differ in {differing}"
run(2, "on-1.h5")
assert contents("on-1.h5") == one, "resuming a finished sweep changed it"
