#!/usr/bin/env python3
"""A data source of your own is a file: here two modalities of which neither tells the class, and both together do.

    PYTHONPATH=analysis python3 doc/examples/convert_xor.py -o xor.h5 [--samples 2000] [--noise 0.3] [--seed 0]
"""
import argparse

import dataset
import numpy as np


def make(samples, noise, seed):
    """Each modality is a direction of 8 features whose sign is a bit; the label is the bits' exclusive or."""
    generator = np.random.default_rng(seed)
    bits = generator.integers(2, size=(samples, 2))
    modalities = {}
    for name, bit in zip(("left", "right"), bits.T):
        direction = generator.normal(size=8)
        modalities[name] = (2 * bit - 1)[:, None] * direction + noise * generator.normal(size=(samples, 8))
    return modalities, bits.sum(axis=1) % 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--noise", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    modalities, label = make(options.samples, options.noise, options.seed)
    dataset.write(options.output, modalities, label, name="exclusive or", source="generated", licence="CC0")


if __name__ == "__main__":
    main()
