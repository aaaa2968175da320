"""merge as a user calls it: parts of a sweep, overlapping and grown sweeps join to what one job would have written."""
# processors: 1
import gzip
import os
import shlex
import shutil
import subprocess

import h5py
import numpy as np

PROGRAM, MPIRUN = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"])
OF_THE_JOB = {"started", "seconds", "host", "rank", "checksum"}
SWEEP = """
name: parts
base:
  data: {source: synthetic, classes: 3, predictive: 2, noise: 2, train: 96, test: 64}
  model: {encoder: [8, 4], width: 12}
  train: {epochs: 3, batch: 16, optimizer: sgd}
axes:
  data.modalities: [2, 3]
  train.rate: [1e-2, 1000]
  seed: {from: %d, count: %d}
measure: {every: 1, spectra: [head]}
"""
DATA_SWEEP = """
name: parts
base:
  data: {source: hdf5, file: data.h5}
  model: {encoder: [8, 4], width: 12}
  train: {epochs: 2, batch: 16}
"""


def call(*arguments, code=0, ranks=None):
    start = MPIRUN + ["-n", str(ranks)] if ranks else []
    done = subprocess.run(start + [PROGRAM, *arguments], capture_output=True, text=True, timeout=100)
    assert done.returncode == code, (arguments, done)
    return done


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def content(path):
    """Rows by id without what belongs to the job, each with its curves and spectra."""
    with h5py.File(path) as file:
        runs = file["runs"][:]
        finished = np.isin(runs["status"], [b"done", b"failed"])
        names = [name for name in runs.dtype.names if name not in OF_THE_JOB]
        series = [file[group][name][:] for group in ("curves", "spectra") for name in file[group]]
        return {row["id"]: (repr([row[name] for name in names]), [s[k].tobytes() for s in series] if finished[k] else None)
                for k, row in enumerate(runs)}


def refused(code, words, *arguments):
    done = call("merge", *arguments, code=code)
    assert words in done.stderr and done.stdout == "" and done.stderr.count("\n") == 1, done


def parts_are_the_whole():
    write("parts.yaml", SWEEP % (0, 4))
    call("run", "parts.yaml", "-q", "-o", "whole.h5", code=1)
    for part, ranks in (1, None), (2, 2), (3, None):
        call("run", "parts.yaml", "-q", "-o", f"part{part}.h5", "--part", f"{part}/3", code=1, ranks=ranks)
    assert "16 runs of 2 files: 6 failed 5 done 5 waiting" in call("merge", "two.h5", "part1.h5", "part2.h5").stdout
    said = call("merge", "all.h5", "part1.h5", "part2.h5", "part3.h5").stdout
    assert said == "all.h5: 16 runs of 3 files: 8 failed 8 done\n", said
    assert content("all.h5") == content("whole.h5")
    with h5py.File("all.h5") as merged, h5py.File("whole.h5") as whole:
        assert merged.attrs["merged_from"] == b"part1.h5 part2.h5 part3.h5" and merged.attrs["sweep"] == whole.attrs["sweep"]
        assert list(merged["axes"]) == list(whole["axes"]) and (merged["columns"][:] == whole["columns"][:]).all()
        assert all((merged["axes"][name][:] == whole["axes"][name][:]).all() for name in whole["axes"])
    assert "nothing to do: all 16 runs are in all.h5" in call("run", "parts.yaml", "-o", "all.h5", code=1).stderr
    call("run", "parts.yaml", "-q", "-o", "two.h5", code=1)
    assert content("two.h5") == content("whole.h5")


def overlaps_and_growth():
    """Seeds 0-1 and 1-3, in two jobs: run 1 is in both, and the same."""
    write("first.yaml", SWEEP % (0, 2))
    write("second.yaml", SWEEP % (1, 3))
    call("run", "first.yaml", "-q", "-o", "first.h5", code=1)
    call("run", "second.yaml", "-q", "-o", "second.h5", code=1)
    said = call("merge", "grown.h5", "first.h5", "second.h5").stdout
    assert said == "grown.h5: 16 runs of 2 files: 8 failed 8 done\n", said
    assert content("grown.h5") == content("whole.h5")
    assert call("merge", "-q", "--force", "grown.h5", "second.h5").stdout == ""
    assert content("grown.h5") == content("second.h5")


def make_data(seed):
    random = np.random.default_rng(seed)
    with h5py.File("data.h5", "w") as file:
        for name in "a", "b":
            file["modality/" + name] = random.normal(size=(120, 5)).astype("f4")
        file["label"] = np.arange(120, dtype="i4") % 3


def what_cannot_be_is_refused():
    write("data.yaml", DATA_SWEEP)
    for seed in 1, 2:
        make_data(seed)
        call("run", "data.yaml", "-q", "-o", f"data{seed}.h5")
    refused(2, "both finished run ", "new.h5", "data1.h5", "data2.h5")
    assert not os.path.exists("new.h5") and not os.path.exists("new.h5.new")
    write("other.yaml", (SWEEP % (0, 1)).replace("name: parts", "name: other"))
    call("run", "other.yaml", "-q", "-o", "other.h5", code=1)
    refused(2, "holds the results of the sweep 'parts', and other.h5 those of 'other'", "new.h5", "whole.h5", "other.h5")
    refused(3, "whole.h5: exists already; --force replaces it", "whole.h5", "part1.h5")
    refused(2, "none.h5: No such file", "new.h5", "none.h5")
    refused(2, "data.yaml: is no HDF5 file", "new.h5", "data.yaml")
    refused(2, "which files?", "new.h5")
    refused(2, "there is no option '--fast'", "new.h5", "whole.h5", "--fast")
    for wrong in "0/3", "4/3", "1", "1/3x", "a":
        assert f"--part wants I/K with 1 <= I <= K, such as 2/8, not '{wrong}'" in call(
            "run", "parts.yaml", "--part", wrong, code=2).stderr
    os.mkdir("closed")
    refused(3, "No such file or directory", "nowhere/new.h5", "whole.h5")


def unpack_old(path):
    with gzip.open(os.path.join(os.environ["SOURCE"], "tests/end/format-1.h5.gz")) as packed, open(path, "wb") as file:
        shutil.copyfileobj(packed, file)


def old_files_become_new_ones():
    """Both of format 1, which has no checksum of series, and one run that neither has done: it keeps its parameters."""
    for path in "old1.h5", "old2.h5":
        unpack_old(path)
        with h5py.File(path, "r+") as file:
            rows = file["runs"][:]
            rows["status"][1] = b"waiting"
            file["runs"][:] = rows
    assert "3 runs of 2 files: 2 done 1 waiting" in call("merge", "renewed.h5", "old1.h5", "old2.h5").stdout
    with h5py.File("renewed.h5") as new, h5py.File("old1.h5") as old:
        assert new.attrs["format"] == 2 and list(new["runs"]["series_checksum"]) == [0, 0, 0]
        parameters = [row["name"].decode() for row in old["columns"][:] if row["kind"] in (b"axis", b"parameter")]
        assert len(parameters) > 50
        assert all(repr(list(new["runs"][name])) == repr(list(old["runs"][name])) for name in parameters)


def with_column(path, name, values):
    """The file has a further column, at the end."""
    with h5py.File(path, "r+") as file:
        rows, columns = file["runs"][:], file["columns"][:]
        fields = [(field, rows.dtype.fields[field][0]) for field in rows.dtype.names] + [(name, values.dtype)]
        more = np.zeros(len(rows), fields)
        for field in rows.dtype.names:
            more[field] = rows[field]
        more[name] = values
        columns = np.append(columns, columns[-1:])
        columns["name"][-1], columns["kind"][-1] = name, b"parameter"
        kept = file["columns"].dtype
        del file["runs"], file["columns"]
        file.create_dataset("runs", data=more)
        file.create_dataset("columns", data=columns, dtype=kept)


def what_others_wrote():
    """Attributes in other forms, a removed run that was cut short, and columns and curves that do not fit together."""
    shutil.copy("first.h5", "noted.h5")
    with h5py.File("noted.h5", "r+") as file:
        file.attrs["ascii"], file.attrs["of any length"] = np.bytes_("by another tool"), "abc" * 50
        rows = file["runs"][:]
        rows["status"][0] = b"removed"
        file["runs"][:] = rows
    call("merge", "noted-too.h5", "noted.h5")
    assert "removed" in call("status", "noted-too.h5").stdout
    with h5py.File("noted-too.h5") as file:
        assert file.attrs["ascii"] == b"by another tool" and file.attrs["of any length"] == "abc" * 50
        assert file["runs"]["status"][0] == b"removed" and np.isnan(file["runs"]["seconds"][0])
        assert file["runs"]["series_checksum"][0] == 0

    unpack_old("odd.h5")
    with_column("odd.h5", "series_checksum", np.arange(3.0))
    with h5py.File("odd.h5", "r+") as file:
        del file.attrs["name"]
        file.attrs["name"] = np.bytes_("parts")
    refused(2, "odd.h5: is damaged: its column 'series_checksum' is not where it should be", "new.h5", "first.h5", "odd.h5")
    for path, shape in ("wide.h5", (1, 200000)), ("long.h5", (200000, 1)):
        shutil.copy("first.h5", path)
        with h5py.File(path, "r+") as file:
            file.create_dataset("spectra/large", (8, *shape), "f8")
    refused(2, "new.h5: would take 2.56e+06 MB, more than such files can hold", "new.h5", "wide.h5", "long.h5")


parts_are_the_whole()
overlaps_and_growth()
old_files_become_new_ones()
what_others_wrote()
what_cannot_be_is_refused()
