"""Makes what the fuzzers start from, in the folder that is given: one folder a harness, and a results file for --where."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import h5py
import numpy as np

SOURCE, PROGRAM = pathlib.Path(os.environ["SOURCE"]), os.environ["EBRSWEEP"]
TINY = """
name: tiny
question: What does a results file look like?
base:
  data: {modalities: 2, classes: 2, predictive: 2, noise: 1, train: 32, test: 16}
  model: {encoder: [4, 3], width: 4}
  train: {epochs: 2, batch: 16}
axes:
  method: [vanilla, ebr]
  seed: {from: 0, count: 2}
measure: {every: 1, spectra: [head, weights]}
"""


def write(folder, texts):
    folder.mkdir(parents=True)
    for i, text in enumerate(texts):
        (folder / f"{i:03}").write_bytes(text if isinstance(text, bytes) else text.encode())


def c_strings(path):
    """The texts of a C test, adjacent ones joined."""
    source = re.sub(r"\bBASE\b", '"name: a\\\\nbase: {data: {modalities: 3, train: 500, test: 100}}\\\\n"', path.read_text())
    for group in re.findall(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+', source):
        text = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', group))
        yield text.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")


def sweeps():
    texts = [path.read_text() for path in sorted((SOURCE / "sweeps").glob("*.yaml"))] + [TINY]
    for text in c_strings(SOURCE / "tests/unit/sweep-errors.c"):
        texts.append(text if text.startswith("name:") else
                     "name: a\nbase: {data: {modalities: 3, train: 500, test: 100}}\naxes: {%s}\n" % text)
    return texts


def arrays(folder):
    folder.mkdir(parents=True)
    numbers = np.arange(12.0).reshape(3, 4)
    for i, kind in enumerate(("<f8", ">f8", "<f4", "<f2", "<i8", ">i4", "|u1", "|b1", "<c16")):
        np.save(folder / f"{i}.npy", numbers.astype(kind))
    np.save(folder / "fortran.npy", np.asfortranarray(numbers))
    np.save(folder / "scalar.npy", np.float64(1))
    np.save(folder / "empty.npy", np.zeros((0, 3)))
    with open(folder / "version2.npy", "wb") as file:
        np.lib.format.write_array(file, numbers, version=(2, 0))


def datasets(folder):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, options in (("plain", {}), ("packed", {"compression": "gzip", "chunks": True, "shuffle": True})):
        with h5py.File(folder / f"{name}.h5", "w", libver="latest" if options else "earliest") as file:
            for modality in "image", "text":
                file.create_dataset(f"modality/{modality}", data=rng.normal(size=(8, 3)).astype("f4"), **options)
            file.create_dataset("label", data=np.arange(8, dtype="i4") % 2, **options)
            file.create_dataset("split", data=(np.arange(8) % 4 == 0).astype("u1"), **options)
            file.create_dataset("present", data=np.ones((8, 2), "u1"), **options)
            file["modality"].attrs["order"] = np.array([b"text", b"image"])
            file.attrs["name"] = "made"


def results(path, text=TINY):
    sweep = path.with_suffix(".yaml")
    sweep.write_text(text)
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}  # MPI's own, from modules that it has unloaded
    subprocess.run([PROGRAM, "run", "-q", "-o", path, sweep], check=True, env=environment)


def merged(folder):
    """A job's file with another's: the same runs, more of them with other columns, and a job that has not begun."""
    (folder / "merge").mkdir()
    results(folder / "more.h5", TINY.replace("count: 2", "count: 3").replace("axes:", "axes:\n  train.rate: [1e-3, 1e-2]"))
    shutil.copy(folder / "more.h5", folder / "waiting.h5")
    with h5py.File(folder / "waiting.h5", "r+") as file:
        rows = file["runs"][:]
        rows["status"] = b"waiting"
        file["runs"][:] = rows
    tiny, more, waiting = ((folder / f"{name}.h5").read_bytes() for name in ("results", "more", "waiting"))
    for name, first, second in ("same", tiny, tiny), ("more", tiny, more), ("waiting", waiting, tiny):
        (folder / "merge" / name).write_bytes(first + second)


def built_rows(rows):
    """What built.c makes a results file of, with runs in all states, a curve and a spectrum."""
    runs = bytes([0] * 9 + [0, 10, 12 - rows % 2] + [0, 4 * (rows % 2)] + [0, 6] + [1] + [rows, 0, 0, 20]) + bytes(range(20))
    columns, attributes = bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), bytes([0] + [0, 10, 4] * 4)
    curve = bytes([1, 2, 0, rows, 1, 0, 0, 8]) + bytes(range(60, 68))
    spectrum = bytes([1, 3, 0, 2, rows + 1, 1, 1, 0, 8]) + bytes(range(50, 58))
    return runs + columns + attributes + curve + spectrum + bytes([1, 0, 0, 0, 0]) + bytes([0] + [31 * i for i in range(rows)])


WHERE = ["method == ebr", "status != failed", "test.loss == none",
         "method=='ebr' && seed > 0", "!(test.loss < 1e3 || seed >= 1)",
         "seed", "method != data.source", "data.strength == '[1, 1]'", "train.rate<=.5e-1&&!seed", "seed == true"]
EXPRESSIONS = ["${seed}", "${data.modalities} * 32", "(${seed} + 1) * -2 / 4", "--1 - ${seed}", "9223372036854775807 + ${seed}",
               "7 / 2", "${seed", "((((1))))", "${data.train} / ${data.modalities}", "1.5 + ${seed}"]
SITES = ["scheduler: slurm\naccount: abc\npartition: batch\n", "modules: [gcc, openmpi]\nsetup: |\n  export A=1\n  ulimit -s\n",
         "extra:\n  - '#SBATCH --exclusive'\n  - '#SBATCH -C \"a&b\"'\nranks_per_node: 48\ntime: 1:00:00\n", "acount: x\n",
         "launcher: {a: b}\n", "- a\n", "environment: &e mpi\naccount: *e\n"]


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    write(folder / "sweep", sweeps())
    write(folder / "where", WHERE)
    write(folder / "expression", EXPRESSIONS + [t for t in c_strings(SOURCE / "tests/unit/sweep-errors.c") if "${" in t])
    write(folder / "site", SITES)
    arrays(folder / "npy")
    datasets(folder / "dataset")
    results(folder / "results.h5")
    (folder / "results").mkdir()
    shutil.copy(folder / "results.h5", folder / "results/tiny.h5")
    merged(folder)
    for harness in "dataset", "results", "merge":  # programs for hdf5.c: mostly zeros, which mean what is usual
        for i in range(8):
            usual = np.random.default_rng(i).integers(0, 200, 1200 if harness == "merge" else 300)
            (folder / harness / f"built{i}").write_bytes(usual.astype("u1").tobytes())
        (folder / harness / "zeros").write_bytes(bytes(300))
    for rows in range(1, 5):
        (folder / "merge" / f"rows{rows}").write_bytes(built_rows(rows) + built_rows(5 - rows))


main()
