"""Makes a dataset from a .npz file with arrays modality_<name> (N, d), label (N,) and optionally split and present."""
import sys
import zipfile
from pathlib import Path

import numpy as np

import dataset

PREFIX = "modality_"


def make(chosen):
    dataset.need(chosen.arrays.is_file(), f"{chosen.arrays}: is no file")
    try:
        with np.load(chosen.arrays) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, AttributeError, zipfile.BadZipFile) as reason:
        raise dataset.DatasetError(f"{chosen.arrays}: is no .npz file of plain arrays ({reason})")
    modalities = {name[len(PREFIX):]: values for name, values in arrays.items() if name.startswith(PREFIX)}
    dataset.need(modalities and "label" in arrays,
                 f"{chosen.arrays}: has {', '.join(arrays) or 'nothing'}; expected modality_<name> and label")
    rest = {name: arrays[name] for name in ("split", "present") if name in arrays}
    return modalities, arrays["label"], {"name": chosen.arrays.stem, "source": str(chosen.arrays), **rest}


def add_arguments(parser):
    parser.add_argument("arrays", type=Path, help="the .npz file")


if __name__ == "__main__":
    sys.exit(dataset.convert(__doc__, add_arguments, make))
