"""Pairs the arms of a comparison: ebr with its controls, at the same point and seed."""
import numpy as np
import pandas as pd

ARMS = ("ebr", "lambda = 0", "kd", "vanilla")
CONTROLS = ("vanilla", "lambda = 0", "kd")
OF_REMEDIES = ("method", "ebr.", "kd.", "auxiliary.")  # what arms differ in; all else tells which runs belong together


class Unpaired(Exception):
    """The runs do not make pairs; the message says why."""


def arms_of(runs):
    """Each run's arm: any ebr, with distillation or not, any control of it, and "" for others."""
    reallocates = runs["method"].isin(["ebr", "kd+ebr"])
    off = runs["ebr.lambda"] == 0 if "ebr.lambda" in runs else False
    return np.select([reallocates & ~off, reallocates & off, runs["method"] == "kd", runs["method"] == "vanilla"], ARMS, "")


def parameters(results):
    """Columns of runs that say how runs of this sweep differ."""
    return [name for name in results.runs if results.kinds.get(name) == "axis"]


def effects(results, measure):
    """(points, {control: outcome (points x seeds)}): ebr minus each control that there is, NaN where a run is missing."""
    runs = results.runs.assign(arm=arms_of(results.runs))
    runs[measure] = runs[measure].where(runs["status"] == "done")
    names = [name for name in parameters(results) if name != "seed"]
    shared = [name for name in names if not name.startswith(OF_REMEDIES)]
    runs["point"] = runs[shared].astype(str).agg("\x1f".join, axis=1) if shared else ""
    twice = runs[runs["arm"] != ""].duplicated(["arm", "point", "seed"], keep=False)
    if twice.any():
        one = runs.loc[twice[twice].index[0]]
        raise Unpaired(f"two runs of arm {one['arm']} share seed {one['seed']} and all of "
                       f"{', '.join(shared) or 'nothing'}: which belongs to which control cannot be told")
    tables = {arm: runs[runs["arm"] == arm].pivot(index="point", columns="seed", values=measure) for arm in ARMS}
    if tables["ebr"].empty:
        raise Unpaired("there are no runs of ebr with a lambda above 0")
    controls = [control for control in CONTROLS if not tables[control].empty]
    if not controls:
        raise Unpaired(f"ebr has nothing to be compared with: {', '.join(CONTROLS)} are all missing")
    points = runs[runs["arm"] == "ebr"].drop_duplicates("point").set_index("point")[names]
    own = tables["ebr"].reindex(points.index)
    outcomes = {control: (own - tables[control].reindex(index=own.index, columns=own.columns)).to_numpy(dtype=float)
                for control in controls}
    return points.drop(columns="method", errors="ignore").reset_index(drop=True), outcomes
