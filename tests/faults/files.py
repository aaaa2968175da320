"""A full disk, a read-only folder, a file that is cut short or has flipped bytes: what is said, and the exit code."""
# processors: 1
# timeout: 300
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
from fault_tools import MPIRUN, PROGRAM, done_runs

SWEEP = """
name: files
base:
  data: {modalities: 2, classes: 4, predictive: 2, noise: 2, train: 64, test: 32}
  model: {encoder: [8, 4], width: 8}
  train: {epochs: 2, batch: 32}
axes:
  method: [vanilla, ebr]
  seed: {from: 0, count: SEEDS}
measure: {every: 1}
"""


def write(seeds):
    Path("files.yaml").write_text(SWEEP.replace("SEEDS", str(seeds)), encoding="utf-8")


def run(output, ranks=2):
    launcher = MPIRUN + ["-n", str(ranks)] if ranks > 1 else []
    return subprocess.run(launcher + [PROGRAM, "run", "files.yaml", "-o", output], capture_output=True, text=True,
                          timeout=100)


def refused(process, codes, *words):
    assert process.returncode in codes, (codes, process)
    for word in words:
        assert word in process.stderr, (word, process.stderr)
    assert "Signal:" not in process.stderr, process.stderr


def mount(options, folder):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"this test needs to mount a tmpfs, which is not permitted here: {done.stderr.strip()}")


write(4)
assert run("whole.h5").returncode == 0
whole = done_runs("whole.h5")
assert len(whole) == 8, len(whole)
size = os.path.getsize("whole.h5")

# No room for a new file; none for a file that grows, whose old results stay.
Path("small").mkdir()
mount("size=64k", "small")
try:
    refused(run("small/files.h5"), {3}, "small/files.h5: no room for its", "No space left on device")
    assert not os.listdir("small"), os.listdir("small")
finally:
    subprocess.run(["umount", "small"], check=True)
mount(f"size={size // 1024 + 64}k", "small")
try:
    shutil.copy("whole.h5", "small/files.h5")
    write(40)
    refused(run("small/files.h5"), {3}, "small/files.h5: no room for its")
    assert done_runs("small/files.h5") == whole, "the disk filled up, and runs were lost"
    assert os.listdir("small") == ["files.h5"], os.listdir("small")
finally:
    subprocess.run(["umount", "small"], check=True)
write(4)

# A folder that cannot be written, empty or with results in it.
mount("size=8m", "small")
try:
    shutil.copy("whole.h5", "small/old.h5")
    subprocess.run(["mount", "-o", "remount,ro", "small"], check=True)
    for name in ("new.h5", "old.h5"):
        refused(run(f"small/{name}"), {3}, f"small/{name}: cannot be written: Read-only file system")
    assert done_runs("small/old.h5") == whole
finally:
    subprocess.run(["umount", "small"], check=True)

# Cut short anywhere: refused with the file's name, and left as it is.
bytes_of = Path("whole.h5").read_bytes()
for kept in (0, 100, size // 4, size // 2, size - 1):
    Path("cut.h5").write_bytes(bytes_of[:kept])
    refused(run("cut.h5"), {2, 3}, "cut.h5: ")
    assert Path("cut.h5").read_bytes() == bytes_of[:kept], f"the file of {kept} bytes was changed"

# A byte flipped in a row: that run alone is done again.
with h5py.File("whole.h5") as file:
    start, stride = file["runs"].id.get_offset(), file["runs"].dtype.itemsize
    offset = file["runs"].dtype.fields["seed"][1]
choice = random.Random(6)
for place in (offset, stride - 1, choice.randrange(stride), choice.randrange(stride)):
    damaged = bytearray(bytes_of)
    damaged[start + 3 * stride + place] ^= 0x10
    Path("flipped.h5").write_bytes(damaged)
    again = run("flipped.h5")
    assert again.returncode == 0 and " 1 to do" in again.stderr, (place, again)
    assert done_runs("flipped.h5") == whole, f"byte {place} of a row was flipped, and the runs are others"

# A byte flipped in a curve or a spectrum: the same. In what is not measured, or in a run that is not there: nothing.
with h5py.File("whole.h5") as file:
    series = {}
    for group in ("curves", "spectra"):
        for name, dataset in file[group].items():
            filled = ~np.isnan(dataset[3].reshape(-1))
            if filled.any():
                series[f"{group}/{name}"] = dataset.id.get_offset(), dataset[0].nbytes, np.flatnonzero(filled)
assert any(name.startswith("curves/") for name in series) and any(name.startswith("spectra/") for name in series)
for name in [*choice.sample(sorted(series), 4), "spectra/head"]:
    start, stride, filled = series[name]
    damaged = bytearray(bytes_of)
    damaged[start + 3 * stride + 8 * int(choice.choice(filled)) + choice.randrange(7)] ^= 0x10
    for output, seeds in (("flipped.h5", 4), ("flipped-and-grown.h5", 5)):
        write(seeds)
        Path(output).write_bytes(damaged)
        again = run(output, 1)
        assert again.returncode == 0 and f" {1 + 2 * (seeds - 4)} to do" in again.stderr, (name, again)
        found = done_runs(output)
        assert {key: found[key] for key in whole} == whole, f"a byte of {name} was flipped, and the runs are others"
write(4)

# In what HDF5 needs to find the rows: refused, or read as before; never a crash.
for place in [0, 8, 9, 40] + [choice.randrange(96) for _ in range(8)]:
    damaged = bytearray(bytes_of)
    damaged[place] ^= 0x10
    Path("flipped.h5").write_bytes(damaged)
    again = run("flipped.h5", 1)
    assert again.returncode in (0, 2, 3), (place, again)
    if again.returncode == 0:
        assert done_runs("flipped.h5") == whole, f"byte {place} was flipped, and the runs are others"
    else:
        refused(again, {2, 3}, "flipped.h5: ")
