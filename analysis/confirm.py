#!/usr/bin/env python3
"""Judges whether what was chosen on some seeds holds on others: ebr against its controls, paired by seed, a row a point and
data source. Rules as in doc/claims.md: 95 % bootstrap intervals over seeds, Wilcoxon's signed-rank test, Holm's correction for
all comparisons.

    python3 analysis/confirm.py results/where-ebr-wins-confirm.h5
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

import results as results_file
from pairs import Unpaired, effects

RESAMPLES = 2000
SMALLEST = {"test_accuracy": 0.005, "test_loss": 0.01}


def wilcoxon(values):
    """p of the signed-rank test, exact, two-sided: zeros are left out, ties share middle ranks (doubled, to be whole)."""
    values = values[values != 0]
    ranks = np.rint(2 * rankdata(np.abs(values))).astype(int)
    ways = np.zeros(ranks.sum() + 1)
    ways[0] = 1.0
    for rank in ranks:
        ways[rank:] += ways[:-rank].copy()
    positive = ranks[values > 0].sum()
    smaller = min(positive, ranks.sum() - positive)
    return min(1.0, float(2 * ways[:smaller + 1].sum() / 2.0 ** len(ranks)))


def compare(values, sign, random):
    """One comparison: mean, interval and p of paired differences, turned so that more is better for ebr."""
    values = sign * values[np.isfinite(values)]
    if len(values) < 2:
        return {"seeds": len(values), "effect": np.nan, "interval": [np.nan, np.nan], "p": 1.0}
    means = values[random.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1)
    return {"seeds": len(values), "effect": float(values.mean()), "interval": np.quantile(means, [0.025, 0.975]).tolist(),
            "p": wilcoxon(values)}


def holm(p):
    """Adjusted p-values (Holm 1979)."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order]), 1)
    return adjusted


def verdict(comparisons, smallest):
    """Of one point against all its controls."""
    if any(not np.isfinite(own["effect"]) for own in comparisons.values()):
        return "cannot tell: a control has fewer than two pairs"
    for control, own in comparisons.items():
        if own["interval"][1] < smallest:
            return f"refuted: against {control} ebr is " + ("worse" if own["interval"][1] < 0 else
                                                           f"better by less than {smallest:g}")
    for control, own in comparisons.items():
        if own["interval"][0] <= 0:
            return f"cannot tell: against {control} the interval leaves both open"
        if own["adjusted"] >= 0.05:
            return f"cannot tell: against {control} not beyond chance among so many comparisons"
    return "supported: ebr is better than every control"


def judge(results, measure):
    """One dictionary a data source and point."""
    points, outcomes = effects(results, measure)
    sign = -1 if measure == "test_loss" else 1
    random = np.random.default_rng(0)
    own = points.drop(columns=[name for name in points if name.startswith("data.")]).astype(str).agg(", ".join, axis=1)
    place = {point: number + 1 for number, point in enumerate(dict.fromkeys(own))}
    rows = []
    for i in range(len(points)):
        source = Path(points["data.file"][i]).stem if "data.file" in points and points["data.file"][i] else "synthetic"
        rows.append({"data": source, "point": place[own[i]], "settings": {name: str(points[name][i]) for name in points},
                     "comparisons": {control: compare(outcome[i], sign, random) for control, outcome in outcomes.items()}})
    every = [own for row in rows for own in row["comparisons"].values()]
    for own, adjusted in zip(every, holm([own["p"] for own in every])):
        own["adjusted"] = float(adjusted)
    for row in rows:
        row["verdict"] = verdict(row["comparisons"], SMALLEST.get(measure, 0.0))
    return rows


def as_markdown(rows, measure):
    controls = list(rows[0]["comparisons"])
    lines = [f"| data | point | seeds | {' | '.join(f'ebr minus {control}, p' for control in controls)} | verdict |",
             "| --- " * (4 + len(controls)) + "|"]
    if measure == "test_loss":
        lines[0] = lines[0].replace("ebr minus", "loss lower than")
    for row in sorted(rows, key=lambda row: (row["data"] != "synthetic", row["data"], row["point"])):
        cells = [f"{own['effect']:+.3f} [{own['interval'][0]:+.3f}, {own['interval'][1]:+.3f}], {own['adjusted']:.2g}"
                 for own in row["comparisons"].values()]
        seeds = min(own["seeds"] for own in row["comparisons"].values())
        lines.append(f"| {row['data']} | {row['point']} | {seeds} | {' | '.join(cells)} | {row['verdict']} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--measure", default="test_accuracy")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        results = results_file.read(options.results)
        if options.measure not in results.runs:
            raise Unpaired(f"the results have no values of {options.measure}")
        rows = judge(results, options.measure)
    except (results_file.ResultsError, Unpaired) as reason:
        print(f"confirm: {reason}", file=sys.stderr)
        return 2
    print(json.dumps(rows, indent=1) if options.json else as_markdown(rows, options.measure))
    return 0


if __name__ == "__main__":
    sys.exit(main())
