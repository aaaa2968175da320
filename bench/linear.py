#!/usr/bin/env python3
"""Time grows linearly in runs, epochs and training samples: doubles each twice and prints the times' ratios.

    python3 bench/linear.py build/release/ebrsweep [--json]

One rank; training alone, without start-up: the sum of the runs' own seconds, from the results file. The smallest of three.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py

SWEEP = """
name: linear
base:
  data: {modalities: 4, classes: 8, predictive: 16, noise: 16, test: 256, train: TRAIN}
  model: {encoder: [64, 32], width: 128}
  train: {batch: 128, epochs: EPOCHS}
axes:
  method: [vanilla, ebr]
  seed: {from: 0, count: RUNS}
measure: {unimodal: false, contributions: false, spectra: []}
"""
AXES = {"runs": "RUNS", "epochs": "EPOCHS", "train": "TRAIN"}
BASE = {"RUNS": 4, "EPOCHS": 8, "TRAIN": 4096}


def seconds(program, values, folder):
    text = SWEEP
    for word, value in values.items():
        text = text.replace(word, str(value))
    sweep, results = Path(folder, "linear.yaml"), Path(folder, "linear.h5")
    sweep.write_text(text, encoding="utf-8")
    best = float("inf")
    for _ in range(3):
        results.unlink(missing_ok=True)
        subprocess.run([program, "run", "-q", str(sweep), "-o", str(results)], check=True)
        with h5py.File(results) as file:
            best = min(best, float(file["runs"]["seconds"].sum()))
    return best


def main():
    program = os.path.abspath(sys.argv[1])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for axis, word in AXES.items():
            times = [seconds(program, {**BASE, word: BASE[word] * factor}, folder) for factor in (1, 2, 4)]
            rows.append({"axis": axis, "seconds": [round(time, 4) for time in times],
                         "ratios": [round(time / times[0], 3) for time in times]})
    if "--json" in sys.argv:
        print(json.dumps(rows, indent=1))
    for row in rows if "--json" not in sys.argv else []:
        print(f"{row['axis']:8} x1, x2, x4: {row['ratios']}")


if __name__ == "__main__":
    main()
