"""Files whose headers lie: each is an error with a sentence and the right exit code, at once and in little memory."""
# processors: 1
import os
import resource
import subprocess
import time

import h5py
import numpy as np

PROGRAM = os.environ["EBRSWEEP"]
SWEEP = """
name: tiny
base:
  data: {modalities: 2, classes: 2, predictive: 2, noise: 1, train: 32, test: 16}
  model: {encoder: [4, 3], width: 4}
  train: {epochs: 1, batch: 16}
axes: {seed: [0, 1]}
measure: {every: 1, spectra: [head]}
"""
MEMORY = 1 << 30  # resident; MPI and its libraries alone take a tenth of it


def refuse(arguments, code, words):
    start = time.monotonic()
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code and words in done.stderr, (arguments, done)
    assert "Sanitizer" not in done.stderr, done.stderr
    assert time.monotonic() - start < 20, (arguments, time.monotonic() - start)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MEMORY, arguments


def arrays():
    with h5py.File("arrays.h5", "w") as file:
        file.create_dataset("never", shape=(1 << 30, 2), dtype="f8", chunks=(1024, 2))
        file.create_dataset("wide", shape=(3, 1 << 24), dtype="f8", chunks=(1, 1 << 24), compression="gzip")
        file.create_dataset("square", shape=(1 << 31, 1 << 31), dtype="f4", chunks=(64, 64))
    refuse(["spectrum", "arrays.h5:never"], 2, "claims to be 1.72e+04 MB, more than such a file can hold")
    refuse(["spectrum", "arrays.h5:wide"], 2, "claims to be 403 MB, more than such a file can hold")
    refuse(["spectrum", "arrays.h5:square"], 2, "more than 2147483647")
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }"
    for shape, words in ((b"1000000000, 2", "is cut short: its header promises 16000000000 bytes"),
                         (b"9223372036854775807, 9223372036854775807", "is cut short"), (b"-1, 2", "cannot be read"),
                         (b"99999999999999999999, 2", "cannot be read"), (b"0, 4", "is empty"),
                         (b", ".join([b"1"] * 40), "cannot be read")):
        text = header % shape
        with open("liar.npy", "wb") as file:
            file.write(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(64))
        refuse(["spectrum", "liar.npy"], 2, words)


def datasets():
    with h5py.File("data.h5", "w") as file:
        file.create_dataset("label", shape=(1 << 30,), dtype="i4", chunks=(1024,))
        for name in "a", "b":
            file.create_dataset("modality/" + name, shape=(1 << 30, 4), dtype="f4", chunks=(1024, 4))
    with open("data.yaml", "w") as file:
        file.write("name: d\nbase: {data: {source: hdf5, file: data.h5}}\n")
    refuse(["run", "-q", "data.yaml"], 2, "data.h5: /label claims to be 4.29e+03 MB, more than such a file can hold")


def damaged(change, words):
    os.system("cp good.h5 bad.h5")
    with h5py.File("bad.h5", "r+") as file:
        change(file)
    refuse(["show", "bad.h5"], 2, words)


def many_formats(file):
    del file.attrs["format"]
    file.attrs["format"] = np.full(4000, 2, "i4")


def long_sweep(file):
    file.create_dataset("sweep", data=np.full(5000, b"axes: {}"))


def huge_sweep(file):
    file.create_dataset("sweep", shape=(), dtype=h5py.string_dtype("utf-8", 1 << 30))


def swapped_roles(file):
    rows = file["columns"][:]
    rows["kind"][0], rows["kind"][-1] = b"measure", b"state"
    file["columns"][:] = rows


def remade_runs(file, change, shape):
    """/runs with other types of its columns."""
    old = file["runs"]
    kind = np.dtype([(name, change.get(name, old.dtype[name])) for name in old.dtype.names])
    del file["runs"]
    file.create_dataset("runs", shape=shape, dtype=kind, chunks=(2,))


def results():
    with open("good.yaml", "w") as file:
        file.write(SWEEP)
    subprocess.run([PROGRAM, "run", "-q", "-o", "good.h5", "good.yaml"], check=True)
    damaged(many_formats, "its format is no number")
    damaged(long_sweep, "is damaged: /sweep is not one text")
    damaged(huge_sweep, "/sweep claims to be 1.07e+03 MB, more than such a file can hold")
    damaged(swapped_roles, "is damaged: /columns calls 'id' a measure")
    damaged(lambda file: remade_runs(file, {"id": "S2"}, (2,)), "/runs lacks the column 'id'")
    damaged(lambda file: remade_runs(file, {}, (1 << 40,)), "/runs claims to be ")
    with open("good.h5", "rb") as file:
        data = file.read()
    place = b"unit" + bytes(4)  # a member of /columns: its name, padded, and its place in the row
    assert data.count(place + (80).to_bytes(4, "little")) == 1
    with open("bad.h5", "wb") as file:
        file.write(data.replace(place + (80).to_bytes(4, "little"), place + (250).to_bytes(4, "little")))
    refuse(["show", "bad.h5"], 2, "is damaged: /columns has a member behind its own end")


arrays()
datasets()
results()
