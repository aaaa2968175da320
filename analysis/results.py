"""Reads results files of ebrsweep into pandas: `results.read("demo.h5").runs` is one row a run.

Needs h5py, numpy and pandas only. Works while the sweep is still running: runs that have not ended have status
"waiting" or "running", and NaN in every measure.
"""
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

NEWEST_FORMAT = 2


class ResultsError(Exception):
    """The file is no results file that this code can read; the message says why."""


@dataclass
class Results:
    path: Path
    attributes: dict
    runs: pd.DataFrame                                 # columns: parameters by dotted name, status, times, measures
    curves: dict = field(default_factory=dict)         # name -> (runs x points)
    spectra: dict = field(default_factory=dict)        # name -> (runs x points x values)
    units: dict = field(default_factory=dict)          # name -> unit, "" if none
    meanings: dict = field(default_factory=dict)       # name -> one sentence
    kinds: dict = field(default_factory=dict)          # column of runs -> state, axis, parameter or measure

    @property
    def done(self):
        """The runs that ended well; the index is the row in curves and spectra."""
        return self.runs[self.runs["status"] == "done"]

    def curve(self, name, rows=None):
        """A curve in long form, one row a run and point: columns run, epoch, value. NaN (not measured) is left out."""
        values = self.curves[name]
        rows = np.arange(len(values)) if rows is None else np.asarray(rows)
        epochs = self.curves.get("epoch")
        epochs = np.tile(np.arange(values.shape[1]), (len(values), 1)) if epochs is None else epochs
        long = pd.DataFrame({"run": np.repeat(rows, values.shape[1]), "epoch": epochs[rows].ravel(),
                             "value": values[rows].ravel()})
        return long.dropna()

    def last_spectrum(self, name, row):
        """Singular values of one run at its last measured point, without what was not measured."""
        points = self.spectra[name][row]
        measured = np.flatnonzero(np.isfinite(points).any(axis=1))
        if len(measured) == 0:
            return np.empty(0)
        values = points[measured[-1]]
        return values[np.isfinite(values)]


def text(value):
    """What HDF5 gives for a text, a number or an array, as Python would have it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [text(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def own_order(values):
    """Numbers in the byte order of this machine, which pandas insists on; the file's is that of its writer."""
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def column(table, name):
    """One column of /runs; fixed-length texts become str, the enumeration of FALSE and TRUE bool."""
    values = table[name]
    kind = table.dtype[name]
    if h5py.check_enum_dtype(kind) == {"FALSE": 0, "TRUE": 1}:
        return values.astype(bool)
    if kind.kind == "S":
        return np.array([text(value) for value in values], dtype=object)
    return own_order(values)


def read(path):
    """Reads one results file as a whole. ResultsError with a sentence when that cannot be."""
    path = Path(path)
    if not path.is_file():
        raise ResultsError(f"{path}: there is no such file")
    try:
        file = h5py.File(path, "r")
    except OSError as reason:
        raise ResultsError(f"{path}: cannot be read as HDF5: {reason}") from None
    with file:
        for name in ("runs", "columns"):
            if not isinstance(file.get(name), h5py.Dataset) or not file[name].dtype.names:
                raise ResultsError(f"{path}: is HDF5, but no results file of ebrsweep: it has no table /{name}")
        attributes = {name: text(value) for name, value in file.attrs.items()}
        version = attributes.get("format", 0)
        if version > NEWEST_FORMAT:
            raise ResultsError(f"{path}: has format {version}, newer than the {NEWEST_FORMAT} that this program reads")
        table = file["runs"][...]
        runs = pd.DataFrame({name: column(table, name) for name in table.dtype.names})
        results = Results(path, attributes, runs)
        for name, kind, unit, meaning in ([text(cell) for cell in row] for row in file["columns"][...]):
            results.kinds[name], results.units[name], results.meanings[name] = kind, unit, meaning
        for group, target in (("curves", results.curves), ("spectra", results.spectra)):
            for name, dataset in file.get(group, {}).items():
                target[name] = own_order(dataset[...])
                results.units[name] = text(dataset.attrs.get("unit", ""))
                results.meanings[name] = text(dataset.attrs.get("meaning", ""))
    return results
