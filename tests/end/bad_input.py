"""What a user can get wrong at the shell: one clear message, the designed exit code, nothing overwritten, no hang."""
# processors: 1
# timeout: 300
import hashlib
import os
import re
import shlex
import subprocess
from pathlib import Path

import h5py
import numpy as np

PROGRAM, MPIRUN = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"])
SWEEP = """name: t
base:
  data: {modalities: 2, classes: 3, predictive: 2, noise: 2, train: 64, test: 32}
  model: {encoder: [8, 4], width: 8}
  train: {epochs: 1, batch: 32}
axes:
  seed: {from: 0, count: 2}
"""
DIVERGING = ["-s", "train.rate=1000", "-s", "train.optimizer=sgd", "-s", "train.epochs=20", "-s", "measure.unimodal=false"]
failures = []


def write(name, *changes):
    text = SWEEP
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    Path(name).write_text(text, encoding="utf-8")


def make_sweeps():
    write("ok.yaml")
    write("key.yaml", ("classes: 3", "clases: 3"))
    write("section.yaml", ("train: {", "trian: {"))
    write("type.yaml", ("classes: 3", "classes: many"))
    write("value.yaml", ("classes: 3", "classes: -3"))
    write("empty.yaml", ("{from: 0, count: 2}", "[]"))
    write("twice.yaml", ("{from: 0, count: 2}", "[1, 1]"))
    write("syntax.yaml", ("axes:", "axes: ["))
    write("count.yaml", ("axes:", "measure: {missing_count: [2]}\naxes:"))
    write("other.yaml", ("name: t", "name: other"))
    for name in ("none", "text", "flat", "nan", "negative", "lengths", "product", "words", "zero", "shapeless", "layers",
                 "positions"):
        layers = {"shapeless": "[2]", "layers": "[2, 2, 2, 2, 2]", "positions": "[2]"}.get(name, "[]")
        write(f"{name}.yaml", ("data: {", f"data: {{source: hdf5, file: {name}.h5, "), (", train: 64, test: 32", ""),
              ("model: {", f"model: {{convolution: {layers}, "),
              ("batch: 32", "batch: 1000000" if name == "positions" else "batch: 32"))


def write_dataset(path, rows=60, label=None, sight=None, shape=None):
    with h5py.File(path, "w") as file:
        rng = np.random.default_rng(1)
        file["modality/sight"] = rng.normal(size=(rows, 4)).astype("f4") if sight is None else sight
        file["modality/sound"] = rng.normal(size=(rows, 3)).astype("f4")
        if shape is not None:
            file["modality/sight"].attrs["shape"] = shape
        file["label"] = np.arange(rows, dtype="i4") % 3 if label is None else label


def make_files():
    bad = np.zeros((60, 4), "f4")
    bad[7, 2] = np.nan
    Path("text.h5").write_text("hello\n", encoding="utf-8")
    write_dataset("flat.h5", sight=np.zeros(60, "f4"))
    write_dataset("nan.h5", sight=bad)
    write_dataset("negative.h5", label=np.full(60, -1, "i4"))
    write_dataset("lengths.h5", sight=np.zeros((59, 4), "f4"))
    write_dataset("product.h5", shape=np.array([3, 2]))
    write_dataset("zero.h5", shape=np.array([4, 0]))
    write_dataset("words.h5", shape=np.array([2.0, 2.0]))
    write_dataset("shapeless.h5")
    write_dataset("positions.h5", sight=np.zeros((60, 9216), "f4"), shape=np.array([96, 96]))
    subprocess.run([PROGRAM, "run", "-q", "ok.yaml"], check=True)
    whole = Path("t.h5").read_bytes()
    Path("cut.h5").write_bytes(whole[:20000])
    Path("newer.h5").write_bytes(whole)
    with h5py.File("newer.h5", "r+") as file:
        file.attrs.modify("format", np.int32(99))
    with h5py.File("foreign.h5", "w") as file:
        file["matrix"] = np.eye(3)


def digest():
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in Path(".").glob("*") if path.is_file()}


def check(arguments, code, message, ranks=0):
    """ranks 0: without mpirun. message: the only line that the program may write to stderr, up to what follows it."""
    launcher = MPIRUN + ["-n", str(ranks)] if ranks else []
    before = digest()
    done = subprocess.run(launcher + [PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    lines = [line for line in done.stderr.splitlines() if line.startswith("ebrsweep: ")]
    problems = []
    if done.returncode != code:
        problems.append(f"exit code {done.returncode} instead of {code}")
    if len(lines) != 1 or not lines[0].startswith("ebrsweep: " + message):
        problems.append(f"said {lines} instead of '{message}'")
    if not ranks and len(done.stderr.splitlines()) != 1:
        problems.append(f"said more than one line: {done.stderr}")
    if re.search(r"\[\d+\] (/|0x)|Segmentation|Traceback|HDF5-DIAG", done.stderr):
        problems.append("printed a stack trace")
    if digest() != before:
        problems.append("changed a file")
    if problems:
        failures.append(f"{' '.join(arguments)} on {ranks} ranks: {'; '.join(problems)}")


make_sweeps()
make_files()
SWEEP_FILES = [
    ("key", "key.yaml:3:25: unknown parameter 'data.clases' (did you mean 'data.classes'?)"),
    ("section", "section.yaml:5:3: unknown parameter 'trian' (did you mean "),
    ("type", "type.yaml:3:34: data.classes takes a whole number, not 'many'"),
    ("value", "value.yaml:3:34: data.classes takes values from 2 to 10000, not -3"),
    ("empty", "empty.yaml:7:9: the axis seed is empty"),
    ("twice", "twice.yaml:7:13: run 0 (seed 1) and run 1 (seed 1) are the same"),
    ("syntax", "syntax.yaml:8:1: is not YAML: flow sequence without a closing bracket"),
    ("count", "measure.missing_count is 2, but of 2 modalities at most 1 can be missing"),
    ("none", "./none.h5: No such file or directory (data.file is relative to the sweep file's folder)"),
    ("text", "./text.h5: is not an HDF5 file"),
    ("flat", "./flat.h5: /modality/sight is 1-dimensional, not 2-dimensional (samples x features)"),
    ("nan", "./nan.h5: /modality/sight, row 7, column 2 (counted from 0): NaN is no usable value"),
    ("negative", "./negative.h5: /label, row 0: -1 is negative"),
    ("lengths", "./lengths.h5: /modality/sight has 59 samples, but /label has 60"),
    ("product", "./product.h5: the attribute shape of /modality/sight makes 6 values, but a row has 4"),
    ("zero", "./zero.h5: the attribute shape of /modality/sight holds 0; at least 1 is possible"),
    ("words", "./words.h5: the attribute shape of /modality/sight holds no integers"),
    ("shapeless", "./shapeless.h5: model.convolution needs samples with a shape, and no modality has one"),
    ("positions", "./positions.h5: model.convolution looks at 2.304e+09 positions of modality 0 in a mini-batch, more"),
    ("layers", "layers.yaml:4:24: model.convolution takes at most 4 layers, not 5"),
]
for name, message in SWEEP_FILES:
    check(["run", f"{name}.yaml"], 2, message)
    check(["plan", f"{name}.yaml"], 2, message)
for name, message in SWEEP_FILES[0], SWEEP_FILES[8], SWEEP_FILES[11]:
    check(["run", f"{name}.yaml"], 2, message, ranks=4)

RESULTS_FILES = [
    (["other.yaml", "-o", "t.h5"], 2, "t.h5: holds the results of the sweep 't', not of 'other': choose another file"),
    (["ok.yaml", "-o", "newer.h5"], 2, "newer.h5: has format 99, and this ebrsweep "),
    (["ok.yaml", "-o", "cut.h5"], 2, "cut.h5: H5Fopen failed: truncated file: eof = 20000"),
    (["ok.yaml", "-o", "text.h5"], 2, "text.h5: is no HDF5 file"),
    (["ok.yaml", "-o", "foreign.h5"], 2, "foreign.h5: is no results file of ebrsweep"),
    (["ok.yaml", "-o", "nowhere/x.h5"], 3, "nowhere/x.h5: cannot be written: No such file or directory"),
]
for arguments, code, message in RESULTS_FILES:
    check(["run", *arguments], code, message)
for arguments, code, message in RESULTS_FILES[1], RESULTS_FILES[2], RESULTS_FILES[5]:
    check(["run", *arguments], code, message, ranks=4)
for command in "show", "status":
    check([command, "text.h5"], 2, "text.h5: is no HDF5 file")
    check([command, "none.h5"], 2, "none.h5: No such file or directory")
    check([command, "cut.h5"], 2, "cut.h5: H5Fopen failed: truncated file")
    check([command, "newer.h5"], 2, "newer.h5: has format 99")
    check([command], 2, f"{command}: which results file? See ebrsweep {command} --help")
if os.geteuid() != 0:  # root writes anywhere
    Path("sealed").mkdir(mode=0o500)
    check(["run", "ok.yaml", "-o", "sealed/x.h5"], 3, "sealed/x.h5: cannot be written: Permission denied")

check(["rum"], 2, "there is no command 'rum', did you mean 'run'?")
check(["run"], 2, "run: which sweep file? See ebrsweep run --help")
check(["run", "nothing.yaml"], 2, "nothing.yaml: No such file or directory")
check(["run", "."], 2, ".: is no regular file")
check(["run", "ok.yaml", "--bogus"], 2, "run: there is no option '--bogus'; see ebrsweep run --help")
check(["run", "ok.yaml", "more.yaml"], 2, "run: one sweep file at a time, 'more.yaml' is left over")
check(["run", "ok.yaml", "-s", "data.clases=4"], 2, "--set data.clases=4: unknown parameter 'data.clases' (did you mean")
check(["run", "ok.yaml", "-s", "bogus=4"], 2, "--set bogus=4: unknown parameter 'bogus'")
check(["run", "ok.yaml", "-s", "data.classes"], 2, "--set data.classes: is not of the form name=value")
check(["run", "ok.yaml", "-s", "data.classes=x"], 2, "--set data.classes=x: data.classes takes a whole number, not 'x'")
check(["show", "t.h5", "--where", "sed<1"], 2, "--where, column 1: there is no column 'sed', did you mean 'seed'?")
check(["show", "t.h5", "--where", "seed<"], 2, "--where, column 6: expected a column or a value at the end")
check(["show", "t.h5", "--columns", "seeds"], 2, "--columns: there is no column 'seeds', did you mean 'seed'?")
check(["show", "t.h5", "--by", "seeds"], 2, "--by: there is no column 'seeds', did you mean 'seed'?")
check(["show", "t.h5", "--sort", "seeds"], 2, "--sort: there is no column 'seeds', did you mean 'seed'?")
check(["show", "t.h5", "--limit", "x"], 2, "show: --limit wants a whole number from 0 on, not 'x'")

# Runs that diverge are recorded with their reason; the command ends with 1, and does not try them again unasked.
done = subprocess.run([PROGRAM, "run", "ok.yaml", "-o", "diverged.h5", *DIVERGING], capture_output=True, text=True)
assert done.returncode == 1, done
shown = subprocess.run([PROGRAM, "show", "diverged.h5", "--csv", "-c", "status,reason"], capture_output=True, text=True)
for line in shown.stdout.splitlines()[1:]:
    assert re.fullmatch(r"failed,diverged in step \d+ of epoch \d+: semantic loss \S+", line), line
assert len(shown.stdout.splitlines()) == 3, shown.stdout
again = subprocess.run([PROGRAM, "run", "ok.yaml", "-o", "diverged.h5", *DIVERGING], capture_output=True, text=True)
assert again.returncode == 1 and "0 to do" in again.stderr, again
retried = subprocess.run([PROGRAM, "run", "ok.yaml", "-o", "diverged.h5", "--retry-failed", *DIVERGING],
                         capture_output=True, text=True)
assert retried.returncode == 1 and "2 to do" in retried.stderr, retried

# Without mpirun one rank works, and says how to use more.
alone = subprocess.run([PROGRAM, "run", "ok.yaml", "-o", "alone.h5"], capture_output=True, text=True)
assert alone.returncode == 0 and "one rank works; to use all cores: mpirun -n" in alone.stderr, alone

for failure in failures:
    print(failure)
assert not failures, f"{len(failures)} inputs were not met as they should"
