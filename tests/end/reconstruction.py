"""Reconstruction: trains, beats the mean, measures what does not speak of classes, and leaves out what does."""
# processors: 1
import json
import math
import os
import subprocess

PROGRAM = os.environ["EBRSWEEP"]
SWEEP = """
name: rebuilt
base:
  data: {source: synthetic, classes: 4, predictive: 3, noise: 2, train: 256, test: 256}
  model: {encoder: [32, 16], width: 32}
  train: {epochs: 60, batch: 32, rate: 3e-3, loss: reconstruction}
axes:
  data.modalities: [2, 3]
  method: [vanilla, kd, ebr, unimodal]
  seed: [0, 1]
measure: {every: 0, spectra: [head], collisions: {relative: [0.1]}}
"""
with open("rebuilt.yaml", "w", encoding="utf-8") as sweep:
    sweep.write(SWEEP)
subprocess.run([PROGRAM, "run", "-q", "rebuilt.yaml"], check=True, timeout=100)
rows = json.loads(subprocess.run([PROGRAM, "show", "rebuilt.h5", "--json"], check=True, capture_output=True, text=True).stdout)
assert len(rows) == 16 and all(row["status"] == "done" for row in rows), [row["status"] for row in rows]
for row in rows:
    assert row.get("test_accuracy") is None and row.get("auc_roc") is None, row
    assert math.isfinite(row["test_loss"]) and math.isfinite(row["train_loss"]), row
    if row["method"] == "unimodal":
        continue
    assert row["colliding_pairs.relative.0.1"] > 0, row
    if row["method"] == "ebr":  # its adversary works against telling modalities apart, which rebuilding them needs
        continue
    # The variance of the true features is that of prototypes and spread within a class, 1 + 0.25, and 1 of noise.
    assert 0 < row["train_loss"] < row["test_loss"] < 0.6, row
    assert all(row[f"contribution.{i}"] > 0 for i in range(row["data.modalities"])), row
