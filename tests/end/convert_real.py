"""The converters of published data: what they write is what the raw files say, and ebrsweep takes it."""
# processors: 1
import gzip
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

SOURCE = Path(os.environ["SOURCE"])
DATA = Path(os.environ.get("EBR_DATA", SOURCE / ".." / "shared" / "data"))
if not DATA.is_dir():
    print(f"skipped: there is no {DATA}; EBR_DATA names the folder of the raw files (doc/datasets.md)")
    sys.exit(77)


def convert(name, *arguments):
    done = subprocess.run([sys.executable, SOURCE / "analysis" / f"convert_{name}.py", *map(str, arguments)],
                          capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def convert_well(name, *arguments):
    done = convert(name, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refuse(sentence, name, *arguments):
    done = convert(name, *arguments)
    assert done.returncode == 2 and sentence in done.stderr, (done.returncode, done.stderr)
    assert not list(Path().glob("refused.h5*")), "something was written"


def taken(path, modalities):
    """ebrsweep reads and checks the whole file to plan a sweep."""
    data = f"{{source: hdf5, file: {path}, modalities: {modalities}}}"
    Path("sweep.yaml").write_text(f"name: real\nbase: {{data: {data}}}\n")
    done = subprocess.run([os.environ["EBRSWEEP"], "plan", "sweep.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def check_mfeat():
    folder = DATA / "mfeat"
    convert_well("mfeat", folder, "-o", "mfeat.h5")
    with h5py.File("mfeat.h5") as file:
        assert list(file["modality"].attrs["order"]) == ["fac", "fou", "kar", "mor", "pix", "zer"]
        assert "split" not in file
        for name in file["modality"]:
            raw = pd.read_csv(folder / f"mfeat-{name}.csv").to_numpy()
            assert np.array_equal(file["modality"][name][:], raw[:, :-1].astype(np.float32)), name
            assert np.array_equal(file["label"][:], raw[:, -1].astype(int)), name
    taken("mfeat.h5", 6)


def check_mfeat_of_uci():
    """The same numbers as UCI packs them make the same dataset."""
    Path("uci").mkdir()
    for path in (DATA / "mfeat").glob("*.csv"):
        pd.read_csv(path).iloc[:, :-1].to_csv(Path("uci") / path.stem, sep=" ", header=False, index=False)
    convert_well("mfeat", "uci", "-o", "uci.h5")
    assert Path("uci.h5").read_bytes() == Path("mfeat.h5").read_bytes()


def check_mfeat_refusals():
    refuse("is no folder with the six files", "mfeat", "nowhere", "-o", "refused.h5")
    Path("mfeat").mkdir()
    refuse("has neither mfeat-fac.csv nor mfeat-fac; get it from https://archive.ics.uci.edu", "mfeat", "mfeat", "-o",
           "refused.h5")
    for path in (DATA / "mfeat").glob("*.csv"):
        Path("mfeat", path.name).write_bytes(path.read_bytes())
    table = pd.read_csv("mfeat/mfeat-kar.csv")
    table.iloc[:-1].to_csv("mfeat/mfeat-kar.csv", index=False)
    refuse("mfeat-kar.csv: has 1999 rows under the header, not 2000", "mfeat", "mfeat", "-o", "refused.h5")
    table.iloc[::-1].to_csv("mfeat/mfeat-kar.csv", index=False)
    refuse("mfeat-kar and mfeat-fac differ in their labels", "mfeat", "mfeat", "-o", "refused.h5")
    table.iloc[:, 1:].to_csv("mfeat/mfeat-kar.csv", index=False)
    refuse("mfeat-kar.csv: has 63 features, not 64", "mfeat", "mfeat", "-o", "refused.h5")
    table.iloc[:, :-1].to_csv("mfeat/mfeat-kar.csv", index=False)
    refuse("mfeat-kar.csv: the last column is not the class 0 to 9", "mfeat", "mfeat", "-o", "refused.h5")
    Path("mfeat/mfeat-kar.csv").write_text("a,b\nnot,numbers\n")
    refuse("mfeat-kar.csv: is no table of numbers", "mfeat", "mfeat", "-o", "refused.h5")


def mnist():
    pixels = gzip.open(DATA / "avmnist/mnist/t10k-images-idx3-ubyte.gz").read()[16:]
    labels = gzip.open(DATA / "avmnist/mnist/t10k-labels-idx1-ubyte.gz").read()[8:]
    return np.frombuffer(pixels, np.uint8).reshape(-1, 784), np.frombuffer(labels, np.uint8)


def nearest_mean(x, label, split):
    """Test accuracy of the simplest classifier: the class whose training mean is nearest."""
    means = np.stack([x[(split == 0) & (label == digit)].mean(axis=0) for digit in range(10)])
    guess = np.square(x[split == 1][:, None] - means).sum(axis=2).argmin(axis=1)
    return (guess == label[split == 1]).mean()


def check_avmnist():
    convert_well("avmnist", DATA / "avmnist", "-o", "avmnist.h5")
    with h5py.File("avmnist.h5") as file:
        image, audio = (file["modality"][name][:] for name in ("image", "audio"))
        label, split = file["label"][:], file["split"][:]
        assert list(file["modality"].attrs["order"]) == ["image", "audio"]
        assert [tuple(file["modality"][name].attrs["shape"]) for name in ("image", "audio")] == [(28, 28), (20, 20)]
        assert len(file.attrs["test_speakers"]) == 2
    assert image.shape == (1500, 784) and audio.shape == (1500, 400)
    assert (np.bincount(label[split == 0]) == 105).all() and (np.bincount(label[split == 1]) == 45).all()
    assert audio.min() >= 0 and (audio.max(axis=1) == 1).all()
    pixels, digits = mnist()
    place = {row.tobytes(): n for n, row in enumerate(pixels)}
    used = [place[np.round(row * 255).astype(np.uint8).tobytes()] for row in image]
    assert len(set(used)) == 1500, "an image is used twice"
    assert np.array_equal(digits[used], label), "an image does not show its label"
    assert len(np.unique(audio, axis=0)) == 1500, "a recording is used twice"
    assert nearest_mean(image, label, split) > 0.7
    assert nearest_mean(audio, label, split) > 0.6, "recordings do not say their label"
    taken("avmnist.h5", 2)


def check_avmnist_repeats():
    convert_well("avmnist", DATA / "avmnist", "-o", "again.h5")
    convert_well("avmnist", DATA / "avmnist", "--seed", 1, "-o", "other.h5")
    assert Path("again.h5").read_bytes() == Path("avmnist.h5").read_bytes()
    assert Path("other.h5").read_bytes() != Path("avmnist.h5").read_bytes()


def check_avmnist_refusals():
    refuse("--pairs asks for 204 training recordings of digit 0, but there are 200", "avmnist", DATA / "avmnist",
           "--pairs", 2910, "-o", "refused.h5")
    folder = Path("av")
    folder.mkdir()
    refuse("av: has no t10k-images-idx3-ubyte", "avmnist", "av", "-o", "refused.h5")
    for path in (DATA / "avmnist/mnist").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    refuse("av: has no recordings.tar.gz; get", "avmnist", "av", "-o", "refused.h5")
    (folder / "recordings.tar.gz").write_text("no archive")
    refuse("recordings.tar.gz: cannot be unpacked", "avmnist", "av", "-o", "refused.h5")
    (folder / "0_x_0.wav").write_text("no sound")
    with tarfile.open(folder / "recordings.tar.gz", "w:gz") as tar:
        tar.add(folder / "0_x_0.wav", "recordings/0_x_0.wav")
    refuse("recordings/0_x_0.wav: is no WAV file", "avmnist", "av", "-o", "refused.h5")
    images = folder / "t10k-images-idx3-ubyte.gz"
    whole = gzip.decompress(images.read_bytes())
    images.write_bytes(gzip.compress(whole[:-1], 1))
    refuse("7840015 bytes do not fit the shape (10000, 28, 28)", "avmnist", "av", "-o", "refused.h5")
    images.write_bytes(gzip.compress(b"other" + whole[5:], 1))
    refuse("is no IDX file of bytes in 3 dimensions", "avmnist", "av", "-o", "refused.h5")


check_mfeat()
check_mfeat_of_uci()
check_mfeat_refusals()
check_avmnist()
check_avmnist_repeats()
check_avmnist_refusals()
