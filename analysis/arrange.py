"""Names the groups that a report compares: arms (a method and its own parameters), settings (everything else that a
sweep varies beside the number of modalities and the seed)."""
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from scipy import stats

METHODS = ("vanilla", "unimodal", "kd", "ebr", "kd+ebr")
OF_METHOD = ("method", "kd.", "ebr.", "unimodal.", "auxiliary.")
OF_DATASET = ("data.source", "data.file", "data.modalities")
SHORT = {"ebr.lambda": "λ =", "data.strength.last": "last strength", "kd.weight": "w =", "model.strength.last": "β =",
         "auxiliary.weight": "a ="}


def varies(runs, name):
    return name in runs and runs[name].astype(str).nunique() > 1


def varies_within(runs, name):
    """Does it vary by itself, and not only along with the dataset and its number of modalities?"""
    return any(varies(own, name) for _, own in runs.groupby(["dataset", "modalities"]))


def number(value):
    return f"{value:g}" if isinstance(value, (float, int, np.number)) and not isinstance(value, bool) else str(value)


def absent(value):
    return value is None or value == "" or (isinstance(value, float) and np.isnan(value))


def said(name, value):
    if name == "ebr.residual":
        return "residual" if value else ""
    if name == "ebr.form":
        return "" if value == "reversal" else str(value)
    return "" if absent(value) else f"{SHORT.get(name, name)} {number(value)}"


def labels(runs, names):
    """For each run "name value, name value" over the columns that have a value there."""
    parts = [[said(name, value) for value in runs[name]] for name in names]
    return [", ".join(part for part in row if part) for row in zip(*parts)] if parts else [""] * len(runs)


def arms(runs):
    """The method, and those of its own parameters that vary among the runs of that method."""
    arm = pd.Series(runs["method"].astype(str), index=runs.index, dtype=object)
    for method, own in runs.groupby("method"):
        names = [name for name in runs if name.startswith(OF_METHOD[1:]) and varies(own, name)]
        arm[own.index] = [f"{method}, {label}" if label else method for label in labels(own, names)]
    return arm


def dataset(row):
    """synthetic, or the file's name without the number of modalities that it may end in."""
    if row["data.source"] == "synthetic":
        return "synthetic"
    stem = PurePosixPath(row["data.file"]).stem
    return stem.removesuffix(f"-{row['modalities']}")


def modalities(results):
    """m of each run: the parameter, or where that is 0 (all that the file has) the contributions that were measured."""
    m = results.runs.get("data.modalities", pd.Series(0, index=results.runs.index)).astype(int)
    counted = results.runs.filter(regex=r"^contribution\.\d+$").notna().sum(axis=1)
    return m.where(m > 0, counted)


def arrange(results):
    """The runs with columns arm, setting, modalities added, the index still the row in curves and spectra."""
    runs = results.runs.copy()
    runs["modalities"] = modalities(results)
    runs["arm"] = arms(runs)
    runs["dataset"] = [dataset(row) for _, row in runs.iterrows()]
    rest = [name for name, kind in results.kinds.items() if kind in ("axis", "parameter") and name != "seed"
            and name not in OF_DATASET and not name.startswith(OF_METHOD) and varies_within(runs, name)]
    runs["setting"] = [", ".join(part for part in pair if part) for pair in zip(runs["dataset"], labels(runs, rest))]
    return runs


def order_of_arms(runs):
    """Arms with vanilla first, then by method and label."""
    first = runs.drop_duplicates("arm")
    rank = {method: place for place, method in enumerate(METHODS)}
    return [arm for _, arm in sorted((rank.get(method, len(METHODS)), arm)
                                     for method, arm in zip(first["method"], first["arm"]))]


def interval(values):
    """Mean, half width of its 95 % interval (Student's t; NaN for a single value) and how many values there are."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return np.nan, np.nan, 0
    if len(values) == 1:
        return values[0], np.nan, 1
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean(), half, len(values)


def pairs(runs, arm, measure, reference="vanilla"):
    """Differences arm - reference over runs that share setting, m and seed: the same data and initial weights."""
    keys = ["setting", "modalities", "seed"]
    if not set(keys) <= set(runs) or measure not in runs:
        return pd.DataFrame(columns=keys + ["difference"])
    left, right = (runs[runs["arm"] == name].set_index(keys)[measure] for name in (arm, reference))
    if left.index.has_duplicates or right.index.has_duplicates:
        return pd.DataFrame(columns=keys + ["difference"])
    return (left - right).dropna().rename("difference").reset_index()
