"""Makes a dataset from UCI Multiple Features: 2000 handwritten numerals seen through six feature sets."""
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import dataset

FEATURES = {"fac": 216, "fou": 76, "kar": 64, "mor": 6, "pix": 240, "zer": 47}
SAMPLES = 2000
WHERE = "get it from https://archive.ics.uci.edu/dataset/72/multiple+features"


def read_original(path):
    """UCI's own edition: numbers and blanks, no header, no labels, 200 numerals of each class in turn."""
    values = pd.read_csv(path, sep=r"\s+", header=None).to_numpy(float)
    dataset.need(len(values) == SAMPLES, f"{path}: has {len(values)} rows, not {SAMPLES}; {WHERE}")
    return values, np.repeat(np.arange(10), SAMPLES // 10)


def read_labelled(path):
    """The edition as CSV: a header, and the class in the last column."""
    table = pd.read_csv(path).to_numpy(float)
    dataset.need(len(table) == SAMPLES, f"{path}: has {len(table)} rows under the header, not {SAMPLES}; {WHERE}")
    label = table[:, -1].astype(int)
    dataset.need(np.array_equal(label, table[:, -1]) and set(label) == set(range(10)),
                 f"{path}: the last column is not the class 0 to 9; {WHERE}")
    return table[:, :-1], label


def read(folder, name):
    labelled, original = folder / f"mfeat-{name}.csv", folder / f"mfeat-{name}"
    path = labelled if labelled.exists() else original
    dataset.need(path.is_file(), f"{folder}: has neither {labelled.name} nor {original.name}; {WHERE}")
    try:
        values, label = read_labelled(path) if path == labelled else read_original(path)
    except (ValueError, pd.errors.ParserError) as reason:
        raise dataset.DatasetError(f"{path}: is no table of numbers ({reason}); {WHERE}")
    dataset.need(values.shape[1] == FEATURES[name],
                 f"{path}: has {values.shape[1]} features, not {FEATURES[name]}; {WHERE}")
    return values, label


def make(chosen):
    dataset.need(chosen.folder.is_dir(), f"{chosen.folder}: is no folder with the six files mfeat-*; {WHERE}")
    modalities, labels = {}, {}
    for name in FEATURES:
        modalities[name], labels[name] = read(chosen.folder, name)
        dataset.need(np.array_equal(labels[name], labels["fac"]),
                     f"{chosen.folder}: mfeat-{name} and mfeat-fac differ in their labels; their rows must correspond")
    return modalities, labels["fac"], {
        "name": "UCI Multiple Features", "licence": "CC BY 4.0",
        "source": "R. Duin: Multiple Features, UCI Machine Learning Repository, doi:10.24432/C5HC70",
        "class_names": [str(digit) for digit in range(10)]}


def add_arguments(parser):
    parser.add_argument("folder", type=Path, help="where mfeat-fac.csv ... mfeat-zer.csv are (or UCI's mfeat-fac ...)")


if __name__ == "__main__":
    sys.exit(dataset.convert(__doc__, add_arguments, make))
