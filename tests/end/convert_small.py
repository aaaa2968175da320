"""The converters that need no download, and what the writer of datasets refuses."""
# processors: 1
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
from sklearn.datasets import load_digits

SOURCE = Path(os.environ["SOURCE"])
sys.path.insert(0, str(SOURCE / "analysis"))
import dataset  # noqa: E402: the module under test


def convert(name, *arguments):
    done = subprocess.run([sys.executable, SOURCE / "analysis" / f"convert_{name}.py", *map(str, arguments)],
                          capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def taken(path):
    """ebrsweep reads and checks the whole file to plan a sweep."""
    Path("sweep.yaml").write_text(f"name: small\nbase: {{data: {{source: hdf5, file: {path}}}, train: {{batch: 2}}}}\n")
    done = subprocess.run([os.environ["EBRSWEEP"], "plan", "sweep.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def check_help():
    for name in ("mfeat", "avmnist", "mimic", "digits", "npz"):
        done = convert(name, "--help")
        assert done.returncode == 0 and "--output" in done.stdout, name
        assert convert(name).returncode == 2, "a converter without arguments is used wrongly"


def check_digits():
    """Patches put back together are the digits."""
    digits = load_digits()
    for patches, (height, width) in {2: (8, 4), 4: (4, 4), 8: (2, 4), 16: (2, 2)}.items():
        path = f"digits-{patches}.h5"
        assert convert("digits", "--patches", patches, "-o", path).returncode == 0
        with h5py.File(path) as file:
            names = list(file["modality"].attrs["order"])
            blocks = np.stack([file["modality"][name][:] for name in names], axis=1)
            assert np.array_equal(file["label"][:], digits.target)
        grid = blocks.reshape(-1, 8 // height, 8 // width, height, width).transpose(0, 1, 3, 2, 4)
        assert np.array_equal(grid.reshape(-1, 8, 8) * 16, digits.images), patches
        taken(path)
    assert convert("digits", "--patches", 3, "-o", "refused.h5").returncode == 2


def check_npz():
    x, z, label = np.random.default_rng(1).normal(size=(20, 3)), np.arange(40).reshape(20, 2), np.arange(20) % 2
    split, present = np.arange(20) >= 14, np.ones((20, 2))
    np.savez("good.npz", modality_z=z, modality_x=x, label=label, split=split, present=present)
    assert convert("npz", "good.npz", "-o", "good.h5").returncode == 0
    with h5py.File("good.h5") as file:
        assert list(file["modality"].attrs["order"]) == ["z", "x"]
        assert np.array_equal(file["modality/x"][:], x.astype(np.float32))
        assert np.array_equal(file["modality/z"][:], z)
        assert np.array_equal(file["split"][:], split)
    taken("good.h5")
    np.savez("unnamed.npz", x=x, label=label)
    Path("text.npz").write_text("no arrays")
    for path, sentence in (("missing.npz", "is no file"), ("text.npz", "is no .npz file of plain arrays"),
                           ("unnamed.npz", "has x, label; expected modality_<name> and label")):
        done = convert("npz", path, "-o", "refused.h5")
        assert done.returncode == 2 and sentence in done.stderr, done.stderr
    done = convert("npz", "good.npz", "-o", "nowhere/good.h5")
    assert done.returncode == 3 and "nowhere" in done.stderr, done.stderr


def check_document():
    """The ten lines of doc/datasets.md do what they say."""
    text = (SOURCE / "doc" / "datasets.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    exec(compile(code, "doc/datasets.md", "exec"), {})
    taken("mine.h5")


def check_refusals():
    x, label = np.zeros((4, 2)), np.array([0, 1, 0, 1])
    hole = np.array([[0, 1], [2, np.nan], [0, 0], [0, 0]])
    cases = [({"x": x[:3]}, label, {}, "modality x has 3 samples, but there are 4 labels"),
             ({"x": x[0]}, label, {}, "modality x has shape (2,), not (samples, features)"),
             ({"x": hole}, label, {}, "modality x, row 1, column 1: nan is no usable value"),
             ({"x": x.astype(str)}, label, {}, "not numbers"),
             ({"x/y": x}, label, {}, "1 to 31 bytes without /"),
             ({}, label, {}, "0 modalities; 1 to 64"),
             ({"x": x}, label / 2, {}, "label holds float64, not integers"),
             ({"x": x}, label - 1, {}, "label -1 is negative"),
             ({"x": x}, 2 * label, {}, "no sample has class [1]"),
             ({"x": x}, 0 * label, {}, "all samples have the same label"),
             ({"x": x}, label, {"split": 0 * label}, "both training (0) and test samples (1)"),
             ({"x": x}, label, {"split": 2 * label}, "split holds values other than 0 and 1"),
             ({"x": x}, label, {"present": label}, "present has shape (4,), not (4, 1)")]
    for modalities, labels, rest, sentence in cases:
        try:
            dataset.write("refused.h5", modalities, labels, **rest)
        except dataset.DatasetError as reason:
            assert sentence in str(reason), (sentence, reason)
        else:
            raise AssertionError(f"was written, in spite of: {sentence}")
    assert not list(Path().glob("refused*"))
    dataset.write("absent.h5", {"x": hole, "y": x}, label, present=[[1, 1], [0, 1], [1, 1], [1, 1]])
    taken("absent.h5")


check_help()
check_digits()
check_npz()
check_document()
check_refusals()
