"""Writes ebrsweep's dataset files (doc/datasets.md): `dataset.write("mine.h5", {"image": x, "audio": z}, label)`.

Needs h5py and numpy only. Checks what `ebrsweep run` would refuse, so that mistakes show when the file is made.
"""
import argparse
import os
import sys
from pathlib import Path

import h5py
import numpy as np


class DatasetError(Exception):
    """The data cannot become a dataset; the message says why."""


def need(condition, sentence):
    if not condition:
        raise DatasetError(sentence)


def check_modality(name, values, count):
    values = np.asarray(values)
    need(values.dtype.kind in "biuf", f"modality {name} holds {values.dtype}, not numbers")
    need(values.ndim == 2, f"modality {name} has shape {values.shape}, not (samples, features)")
    need(values.shape[1] > 0, f"modality {name} has no features")
    need(len(values) == count, f"modality {name} has {len(values)} samples, but there are {count} labels")
    need(0 < len(name.encode()) < 32 and "/" not in name,
         f"modality name {name!r}: 1 to 31 bytes without / are possible")
    return values


def check_finite(name, values, here):
    bad = ~np.isfinite(values) & here[:, None]
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DatasetError(f"modality {name}, row {row}, column {column}: {values[row, column]} is no usable value")


def check_label(label):
    label = np.asarray(label)
    need(label.ndim == 1 and len(label) > 0, f"label has shape {label.shape}, not (samples,)")
    need(label.dtype.kind in "iu", f"label holds {label.dtype}, not integers")
    need(label.min() >= 0, f"label {label.min()} is negative")
    missing = np.setdiff1d(np.arange(label.max() + 1), label)
    need(len(missing) == 0, f"no sample has class {missing[:1]}; classes count from 0 to {label.max()} without gaps")
    need(label.max() > 0, "all samples have the same label")
    return label.astype(np.int32)


def check_flags(name, flags, shape):
    flags = np.asarray(flags)
    need(flags.shape == shape, f"{name} has shape {flags.shape}, not {shape}")
    need(np.isin(flags, (0, 1)).all(), f"{name} holds values other than 0 and 1")
    return flags.astype(np.uint8)


def check_split(split, count):
    split = check_flags("split", split, (count,))
    need(0 < split.sum() < count, "split must have both training (0) and test samples (1)")
    return split


def write(path, modalities, label, *, split=None, present=None, shapes=None, **attributes):
    """Writes a dataset; the order of `modalities` (name -> (N, d) numbers) is kept.

    label (N,): integers from 0. split (N,): 0 train, 1 test. present (N, m): 1 where a sample has the modality.
    shapes: name -> e.g. (28, 28), what a row of that modality looks like. attributes: name, source, licence,
    class_names and whatever else is worth remembering.
    """
    label = check_label(label)
    need(0 < len(modalities) <= 64, f"{len(modalities)} modalities; 1 to 64 are possible")
    checked = {name: check_modality(name, values, len(label)) for name, values in modalities.items()}
    if split is not None:
        split = check_split(split, len(label))
    if present is not None:
        present = check_flags("present", present, (len(label), len(modalities)))
    for i, (name, values) in enumerate(checked.items()):
        check_finite(name, values, np.ones(len(label), bool) if present is None else present[:, i] == 1)
    beside = Path(f"{path}.part")
    try:
        store(beside, checked, label, split, present, shapes or {}, attributes)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def store(path, modalities, label, split, present, shapes, attributes):
    with h5py.File(path, "w") as file:
        for key, value in attributes.items():
            file.attrs[key] = value
        group = file.create_group("modality")
        group.attrs["order"] = list(modalities)
        for name, values in modalities.items():
            field = group.create_dataset(name, data=values.astype(np.float32), track_times=False)
            if name in shapes:
                field.attrs["shape"] = shapes[name]
        for name, values in (("label", label), ("split", split), ("present", present)):
            if values is not None:
                file.create_dataset(name, data=values, track_times=False)


def convert(description, add_arguments, make):
    """The shell side of a converter: -o, messages on stderr, exit code 2 for data that cannot be used, 3 for the disk.
    make(chosen) answers what write takes: modalities, label and a dict of the rest."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add_arguments(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, help="the dataset to write (HDF5)")
    chosen = parser.parse_args()
    try:
        modalities, label, rest = make(chosen)
        write(chosen.output, modalities, label, **rest)
    except (DatasetError, OSError) as reason:
        print(f"{Path(sys.argv[0]).stem}: {reason}", file=sys.stderr)
        return 2 if isinstance(reason, DatasetError) else 3
    widths = ", ".join(f"{name} {np.shape(values)[1]}" for name, values in modalities.items())
    print(f"{chosen.output}: {len(label)} samples, {int(np.max(label)) + 1} classes; modalities and features: {widths}")
    return 0
