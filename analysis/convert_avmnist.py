"""Makes avMNIST: each MNIST image paired with a recording of the same digit from the Free Spoken Digit Dataset.

No image, recording or speaker is both in training and in test: the images are drawn without replacement, and two of
the six speakers are kept for test. Audio becomes a log spectrogram of 20 mel bands x 20 frames, silence cut off,
between 0 (8 decades below the loudest band, or quieter) and 1.
"""
import gzip
import io
import re
import sys
import tarfile
from pathlib import Path

import numpy as np
from scipy import signal
from scipy.io import wavfile

import dataset

RATE = 8000
BANDS, FRAMES = 20, 20
TEST_SHARE, TEST_SPEAKERS = 0.3, 2
RECORDING = re.compile(r"recordings/(\d)_([a-z]+)_(\d+)\.wav$")
WHERE_MNIST = "get the four IDX files from https://storage.googleapis.com/cvdf-datasets/mnist/"
WHERE_FSDD = ("get recordings.tar.gz: the folder recordings of "
              "https://github.com/Jakobovski/free-spoken-digit-dataset, packed by `tar czf`")


def find(folder, pattern):
    found = sorted(folder.rglob(pattern))
    return found[0] if found else None


# ---- images --------------------------------------------------------------------------------------------------------

def read_idx(path, dimensions):
    """LeCun's IDX: 0, 0, 8 (bytes), the number of dimensions, each as a big-endian int32, then the values."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            data = file.read()
    except (gzip.BadGzipFile, EOFError) as reason:
        raise dataset.DatasetError(f"{path}: cannot be unpacked ({reason}); {WHERE_MNIST}")
    start = 4 + 4 * dimensions
    dataset.need(data[:4] == bytes([0, 0, 8, dimensions]) and len(data) >= start,
                 f"{path}: is no IDX file of bytes in {dimensions} dimensions; {WHERE_MNIST}")
    shape = np.frombuffer(data, ">i4", dimensions, 4)
    dataset.need(len(data) == start + np.prod(shape, dtype=np.int64),
                 f"{path}: {len(data)} bytes do not fit the shape {tuple(shape)} that it names; {WHERE_MNIST}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def read_mnist(folder, part):
    """Images (N x 784) in [0, 1] and labels of one part, t10k or train; None where it is not there."""
    images, labels = (find(folder, f"{part}-{kind}-ubyte*") for kind in ("images-idx3", "labels-idx1"))
    if not images or not labels:
        return None
    pixels, label = read_idx(images, 3), read_idx(labels, 1)
    dataset.need(pixels.shape[1:] == (28, 28), f"{images}: images are {pixels.shape[1:]}, not (28, 28); {WHERE_MNIST}")
    dataset.need(len(pixels) == len(label) and label.max() <= 9,
                 f"{labels}: its {len(label)} labels do not fit the {len(pixels)} images; {WHERE_MNIST}")
    return pixels.reshape(len(pixels), -1) / 255, label


# ---- recordings ----------------------------------------------------------------------------------------------------

def mel_filters(bins):
    """Triangles (bands x bins) evenly spaced in mel = 2595 log10(1 + f / 700) between 100 Hz and half the rate."""
    lowest, highest = 2595 * np.log10(1 + np.array([100, RATE / 2]) / 700)
    edges = 700 * (10 ** (np.linspace(lowest, highest, BANDS + 2) / 2595) - 1)
    frequency = np.linspace(0, RATE / 2, bins)
    left, middle, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequency - left) / (middle - left), (right - frequency) / (right - middle)
    return np.maximum(0, np.minimum(rising, falling))


def trim(sound):
    """Without what is 40 dB below the loudest 10 ms at either end."""
    step = RATE // 100
    pieces = sound[:len(sound) // step * step].reshape(-1, step)
    loud = np.flatnonzero(np.square(pieces).mean(axis=1) > 1e-4 * np.square(pieces).mean(axis=1).max())
    return sound[loud[0] * step:(loud[-1] + 1) * step] if len(loud) else sound


def spectrogram(sound):
    sound = trim(sound.astype(float) / 2 ** 15)
    window = 256
    sound = np.pad(sound, (0, max(0, window - len(sound))))
    _, _, power = signal.spectrogram(sound, RATE, window="hann", nperseg=window, noverlap=window * 7 // 8)
    bands = mel_filters(len(power)) @ power
    edges = np.linspace(0, bands.shape[1], FRAMES + 1)
    frames = [bands[:, int(a):max(int(a) + 1, int(np.ceil(b)))].mean(axis=1) for a, b in zip(edges, edges[1:])]
    pooled = np.stack(frames, axis=1)
    decades = np.log10(np.maximum(pooled, 1e-30) / max(pooled.max(), 1e-30))
    return np.clip(1 + decades / 8, 0, 1)


def read_recording(name, data):
    try:
        rate, sound = wavfile.read(io.BytesIO(data))
    except ValueError as reason:
        raise dataset.DatasetError(f"{name}: is no WAV file ({reason}); {WHERE_FSDD}")
    dataset.need(rate == RATE and sound.dtype == np.int16 and sound.ndim == 1 and len(sound) >= RATE // 100,
                 f"{name}: is {rate} Hz, {sound.dtype}, shape {sound.shape}; expected 8000 Hz mono of 16 bits; "
                 f"{WHERE_FSDD}")
    return sound


def read_recordings(folder):
    """(digit, speaker, index) -> samples, in the order of these keys."""
    archive = find(folder, "recordings.tar.gz")
    dataset.need(archive, f"{folder}: has no recordings.tar.gz; {WHERE_FSDD}")
    found = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                match = RECORDING.search(member.name)
                if match and member.isfile():
                    digit, speaker, index = match.groups()
                    data = tar.extractfile(member).read()
                    found[int(digit), speaker, int(index)] = read_recording(member.name, data)
    except (tarfile.TarError, EOFError, OSError) as reason:
        raise dataset.DatasetError(f"{archive}: cannot be unpacked ({reason}); {WHERE_FSDD}")
    speakers = {speaker for _, speaker, _ in found}
    dataset.need(len(speakers) > TEST_SPEAKERS, f"{archive}: {len(found)} recordings of {len(speakers)} speakers are "
                 f"too few; expected 3000 of 6; {WHERE_FSDD}")
    return dict(sorted(found.items()))


# ---- pairs ---------------------------------------------------------------------------------------------------------

def draw(what, candidates, count, generator):
    """count of candidates, each at most once."""
    dataset.need(count <= len(candidates), f"--pairs asks for {count} {what}, but there are {len(candidates)}")
    return generator.permutation(len(candidates))[:count]


def pair_side(side, count, images, labels, recordings, generator):
    """count pairs, the digits equally often (to one): rows of images and of recordings (a list of digit and sound)."""
    rows, sounds = [], []
    for digit, share in enumerate(np.array_split(np.arange(count), 10)):
        pictures = np.flatnonzero(labels == digit)
        spoken = [sound for other, sound in recordings if other == digit]
        chosen = draw(f"{side} images of digit {digit}", pictures, len(share), generator)
        heard = draw(f"{side} recordings of digit {digit}", spoken, len(share), generator)
        rows.append(pictures[chosen])
        sounds += [spectrogram(spoken[j]).ravel() for j in heard]
    rows = np.concatenate(rows)
    return images[rows], np.array(sounds), labels[rows]


def pools(folder, generator):
    """Images and labels to train and to test on: MNIST's own halves, or its test half cut in two."""
    test, train = read_mnist(folder, "t10k"), read_mnist(folder, "train")
    dataset.need(test, f"{folder}: has no t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte; {WHERE_MNIST}")
    if train:
        return train, test
    images, labels = test
    order = generator.permutation(len(images))
    held = round(TEST_SHARE * len(order))
    return (images[order[held:]], labels[order[held:]]), (images[order[:held]], labels[order[:held]])


def make(chosen):
    dataset.need(chosen.folder.is_dir(), f"{chosen.folder}: is no folder; {WHERE_MNIST}; {WHERE_FSDD}")
    dataset.need(chosen.pairs >= 40, f"--pairs {chosen.pairs}: at least 40 are needed for every digit on both sides")
    generator = np.random.default_rng(chosen.seed)
    train, test = pools(chosen.folder, generator)
    recordings = read_recordings(chosen.folder)
    speakers = sorted({speaker for _, speaker, _ in recordings})
    kept = sorted(str(speaker) for speaker in generator.permutation(speakers)[:TEST_SPEAKERS])
    count = round(TEST_SHARE * chosen.pairs)
    sides = [pair_side(side, pairs, *pool, [(key[0], sound) for key, sound in recordings.items()
                                            if (key[1] in kept) == (side == "test")], generator)
             for side, pairs, pool in (("training", chosen.pairs - count, train), ("test", count, test))]
    image, audio, label = (np.concatenate(parts) for parts in zip(*sides))
    return {"image": image, "audio": audio}, label.astype(int), {
        "split": np.repeat([0, 1], [chosen.pairs - count, count]), "seed": chosen.seed, "test_speakers": kept,
        "name": "avMNIST", "licence": "CC BY-SA 3.0 (MNIST), CC BY-SA 4.0 (recordings)",
        "source": "MNIST: Y. LeCun, C. Cortes; Free Spoken Digit Dataset: Z. Jackson et al.; paired by digit",
        "class_names": [str(digit) for digit in range(10)],
        "shapes": {"image": np.array([28, 28]), "audio": np.array([BANDS, FRAMES])}}


def add_arguments(parser):
    parser.add_argument("folder", type=Path, help="where, at any depth, t10k-images-idx3-ubyte(.gz), its labels and "
                        "recordings.tar.gz are; train-images and its labels are used if they are there")
    parser.add_argument("--pairs", type=int, default=1500, help="pairs of image and recording, 30%% of them for test")
    parser.add_argument("--seed", type=int, default=0, help="picks images, recordings, and the speakers kept for test")


if __name__ == "__main__":
    sys.exit(dataset.convert(__doc__.split("\n")[0], add_arguments, make))
