"""What the tests in tests/faults share: the bytes of finished runs, and the processes of an mpirun."""
import os
import shlex
from pathlib import Path

import h5py

PROGRAM, MPIRUN = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"])
CIRCUMSTANCES = {"started", "seconds", "host", "rank", "checksum"}


def done_runs(path):
    """The bytes of every run that is marked done, by its id; circumstances are left out. Nothing if there is no file."""
    found = {}
    if not os.path.exists(path):
        return found
    with h5py.File(path) as file:
        rows = file["runs"][...]
        series = [file[f"{group}/{name}"][...] for group in ("curves", "spectra") for name in file[group]]
        names = [name for name in rows.dtype.names if name not in CIRCUMSTANCES]
        for index, row in enumerate(rows):
            if row["status"] == b"done":
                parts = [row[name].tobytes() for name in names] + [array[index].tobytes() for array in series]
                found[row["id"]] = b"".join(parts)
    return found


def ranks_of(launcher):
    """The processes of this mpirun that have become the program: it starts them through a fork and exec."""
    ranks = []
    for task in Path(f"/proc/{launcher}/task").glob("*/children"):
        try:
            children = task.read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            try:
                if os.path.samefile(f"/proc/{child}/exe", PROGRAM):
                    ranks.append(int(child))
            except OSError:
                pass
    return sorted(ranks)
