"""plan predicts the peak memory of a rank within 10 %, at every size; a rank at the usual size R stays below 64 MB."""
# processors: 1
import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = os.environ["EBRSWEEP"]
SWEEP = """
name: memory
base:
  data: {modalities: 4, classes: 8, predictive: 8, noise: 8, train: 1024, test: 1024}
  model: {encoder: [64, 32], width: 128}
  train: {epochs: 1, batch: 128}
  seed: 0
measure: {every: 1}
axes:
  method: [ebr]
"""
WIDE = ["data.predictive=128", "data.noise=128", "model.encoder=[512, 256]", "model.width=2048", "train.batch=256",
        "data.train=256"]
SIZES = {
    "S": ["data.predictive=8", "model.encoder=[32, 16]", "model.width=64"],
    "R": ["data.predictive=16", "data.noise=16"],
    "W": WIDE,
    "W kd": ["method=kd", *WIDE],
    "width 8192": ["model.width=8192", "model.encoder=[128, 64]", "data.train=256", "measure.spectra=[fused]"],
    "batch 8192": ["train.batch=8192", "data.train=8192"],
    "features 8192": ["method=vanilla", "data.modalities=2", "model.encoder=[8192]", "data.train=128",
                      "measure.spectra=[]"],
    "32 modalities": ["data.modalities=32"],
    "muse": ["model.fusion=muse", "train.batch=512"],
    "grape": ["model.fusion=grape", "train.batch=512"],
    "updates": ["measure.spectra=[updates, latent]", "measure.probe=true", "measure.missing=[0.5]",
                "measure.autoencoder=1024"],
}
if "-fsanitize" in Path(os.environ["BUILD"], "CMakeCache.txt").read_text(encoding="utf-8"):
    print("skipped: with sanitizers the memory is mostly theirs")
    sys.exit(77)
wrong = []
Path("memory.yaml").write_text(SWEEP, encoding="utf-8")
for name, changes in SIZES.items():
    chosen = [word for change in changes for word in ("-s", change)]
    planned = subprocess.run([PROGRAM, "plan", "memory.yaml", "--json", "-o", "none.h5", *chosen], check=True,
                             capture_output=True, text=True)
    predicted = json.loads(planned.stdout)["memory_per_rank_bytes"]
    Path("memory.h5").unlink(missing_ok=True)
    process = subprocess.Popen([PROGRAM, "run", "-q", "memory.yaml", "-o", "memory.h5", *chosen])
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, name
    taken = usage.ru_maxrss * 1024
    print(f"{name:14} predicted {predicted / 1e6:6.1f} MB, took {taken / 1e6:6.1f} MB, ratio {predicted / taken:.3f}")
    if not 0.9 <= predicted / taken <= 1.1 or name == "R" and taken > 64e6:
        wrong.append(name)
assert not wrong, f"off by more than 10 %, or too much: {wrong}"
