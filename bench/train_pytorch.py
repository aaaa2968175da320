#!/usr/bin/python3
"""Steps per second of the same training in PyTorch, on one pinned core: what bench/train races against.

The network and its step are tests/parity/reference.py. torch is given the faster of its own ways: one thread, one
index_select a modality and mini-batch from tensors that are ready, losses that are never read back, and whichever of
Adam's loops (one tensor at a time, or all by foreach) is faster here. The best of several stretches counts.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

# Before torch loads its libraries.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "parity"))

import torch  # noqa: E402

from reference import DEFAULTS, Batch, Network, Remedies, Trainer  # noqa: E402

CONFIGS = {
    "S": {"inputs": 16, "encoder": [32, 16], "width": 64, "batch": 128},
    "R": {"inputs": 32, "encoder": [64, 32], "width": 128, "batch": 128},
    "W": {"inputs": 256, "encoder": [512, 256], "width": 2048, "batch": 256},
}
MODALITIES, CLASSES, SAMPLES = 4, 8, 4096


def arguments():
    parser = argparse.ArgumentParser(description="Steps per second of training in PyTorch on one core.")
    parser.add_argument("--config", choices=CONFIGS, required=True)
    parser.add_argument("--method", choices=["vanilla", "ebr", "kd"], required=True)
    parser.add_argument("--steps", type=int, default=0, help="steps of each stretch; 0 = a quarter of a second")
    parser.add_argument("--repeats", type=int, default=6, help="stretches of which the best counts")
    parser.add_argument("--foreach", choices=["yes", "no", "best"], default="best", help="which loop of Adam")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


class Samples:
    """Random samples that stay on the machine as tensors, and the shuffled mini-batches of epoch after epoch."""

    def __init__(self, shape):
        self.batch = shape["batch"]
        self.x = [torch.randn(SAMPLES, shape["inputs"]) for _ in range(MODALITIES)]
        self.label = torch.randint(CLASSES, (SAMPLES,))
        self.features, self.logits = torch.zeros(SAMPLES, shape["encoder"][-1]), torch.zeros(SAMPLES, CLASSES)

    def batches(self, distils):
        while True:
            for rows in torch.randperm(SAMPLES).split(self.batch):
                batch = Batch([x.index_select(0, rows) for x in self.x], self.label.index_select(0, rows))
                if distils:
                    batch.teacher_features = self.features.index_select(0, rows)
                    batch.teacher_logits = self.logits.index_select(0, rows)
                yield batch


def steps_per_second(shape, method, foreach, steps, repeats):
    torch.manual_seed(1)
    config = {**DEFAULTS, "method": method, "model.encoder": shape["encoder"], "model.width": shape["width"]}
    trainer = Trainer(Network(config, [shape["inputs"]] * MODALITIES, CLASSES), foreach)
    batches = Samples(shape).batches(method == "kd")
    remedies = Remedies(config["ebr.lambda"], 0.0, (0.0, 1.0, 1.0, 1.0))
    run = lambda: trainer.step(next(batches), remedies)
    start = time.perf_counter()
    for _ in range(10):
        run()
    per_step = (time.perf_counter() - start) / 10
    count = steps or max(3, int(0.25 / per_step))
    best = 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(count):
            run()
        best = max(best, count / (time.perf_counter() - start))
    return best


def main():
    options = arguments()
    # A core that was given by whoever started this is kept.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    loops = {"yes": [True], "no": [False], "best": [False, True]}[options.foreach]
    measured = {
        loop: steps_per_second(CONFIGS[options.config], options.method, loop, options.steps, options.repeats)
        for loop in loops
    }
    foreach = max(measured, key=measured.get)
    result = {"config": options.config, "method": options.method, "steps_per_second": round(measured[foreach], 2),
              "foreach": foreach, "torch": torch.__version__}
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{options.config} {options.method}: {measured[foreach]:.1f} steps/s, {1e3 / measured[foreach]:.3f} ms/step"
              f" (foreach {'on' if foreach else 'off'})")


if __name__ == "__main__":
    main()
