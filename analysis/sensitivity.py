#!/usr/bin/env python3
"""Where does EBR win? Reads the results of a sweep that draws points and compares arms at each (sweeps/where-ebr-wins.yaml),
says which conditions decide over the paired difference (analysis/indices.py), draws the map, and picks points to confirm:

    python3 analysis/sensitivity.py results/where-ebr-wins.h5 --markdown --figure map.png --confirm confirm.yaml
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
from scipy.stats import t as student

import indices
import results as results_file
from pairs import ARMS, Unpaired, effects

MEASURES = ("test_accuracy", "test_loss")
CONFIRMED = 5
NAMES = {"model.encoder.depth": "encoder depth", "model.encoder.last": "feature and latent size"}


class Unusable(Exception):
    """The results cannot be judged; the message says why."""


def numbers_of(values):
    """A list in a results file is a text, "[32, 16]"."""
    return [[float(part) for part in str(value).strip("[]").split(",") if part.strip()] for value in values]


def condition(name, values):
    """What varies as conditions: numbers, kinds, and of a list its length and its last entry where those vary."""
    values = list(values)
    if isinstance(values[0], str) and values[0].startswith("["):
        lists = numbers_of(values)
        parts = {f"{name}.depth": [len(own) for own in lists], f"{name}.last": [own[-1] for own in lists]}
        varying = {part: own for part, own in parts.items() if len(set(own)) > 1}
        if len(varying) == 1:
            varying = {name: next(iter(varying.values()))}
        return [indices.Condition(NAMES.get(part, part), np.array(own, dtype=float)) for part, own in varying.items()]
    if isinstance(values[0], (str, bool, np.bool_)):
        said = [yaml_value(value) for value in values]
        words = sorted(set(said))
        return [indices.Condition(name, np.array([words.index(word) for word in said]), tuple(words))]
    return [indices.Condition(name, np.array(values, dtype=float))]


def conditions_of(points):
    found = []
    for name in points:
        if points[name].map(str).nunique() > 1:
            found += condition(name, points[name])
    if not found:
        raise Unusable("nothing varies but the seed: a sample with several parameters belongs here")
    return found


def judge(results, measure):
    """The points, their conditions, and for each control the outcome (points x seeds) with its indices."""
    if measure not in results.runs or not results.done[measure].notna().any():
        raise Unusable(f"the results have no values of {measure}")
    points, outcomes = effects(results, measure)
    whole = np.all([np.isfinite(outcome).sum(axis=1) >= 2 for outcome in outcomes.values()], axis=0)
    if whole.sum() < 50:
        raise Unusable(f"{whole.sum()} points have all arms at two seeds or more: sensitivity needs 50")
    points = points[whole].reset_index(drop=True)
    outcomes = {control: outcome[whole] for control, outcome in outcomes.items()}
    conditions = conditions_of(points)
    return points, conditions, outcomes, {control: indices.indices(conditions, outcome)
                                          for control, outcome in outcomes.items()}


def best_points(found, higher_better, count=CONFIRMED):
    """The rule of the best regime: points whose effect against the hardest of the controls, as the expansion predicts it from
    all points, is largest. The prediction smooths the luck of single points."""
    sign = 1 if higher_better else -1
    worst = np.min([sign * own["predicted"] for own in found.values()], axis=0)
    return np.argsort(-worst, kind="stable")[:count], worst


def wins(outcome, sign, smallest):
    """Share of points whose mean effect exceeds `smallest` with a 95 % interval (Student's, over seeds) above zero."""
    count = np.isfinite(outcome).sum(axis=1)
    mean = sign * np.nanmean(outcome, axis=1)
    error = np.nanstd(outcome, axis=1, ddof=1) / np.sqrt(count)
    return (mean > smallest) & (mean - student.ppf(0.975, count - 1) * error > 0)


def share(value):
    return "–" if value is None or not np.isfinite(value) else f"{100 * value:.0f} %"


def cell(estimate):
    low, high = estimate["interval"]
    return f"{estimate['value']:.2f} [{low:.2f}, {high:.2f}]"


def order_by_total(found):
    totals = np.array([[own["total"]["value"] for own in one["conditions"]] for one in found.values()])
    return np.argsort(-totals.max(axis=0), kind="stable")


def overview_rows(found, outcomes, sign, smallest):
    rows = []
    hits = {control: wins(outcome, sign, smallest) for control, outcome in outcomes.items()}
    for control, one in found.items():
        rows.append([f"ebr minus {control}", f"{one['mean']:+.4f}", share(hits[control].mean()),
                     share(one["share_of_seeds"]), f"{one['r2']:.2f} of {one['r2_most']:.2f}", share(one["explained"])])
    rows.append(["against all of them", "", share(np.all(list(hits.values()), axis=0).mean()), "", "", ""])
    return rows


def table(head, rows):
    return "\n".join(["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]])


def as_markdown(measure, points, outcomes, found, losses):
    higher = measure != "test_loss"
    sign, smallest = (1, 0.005) if higher else (-1, 0.01)
    seeds = next(iter(outcomes.values())).shape[1]
    head = ["effect", "mean over points",
            f"points where ebr is better by {smallest:g} with its 95 % interval on that side (chance: up to 2.5 %)",
            "variance of single runs due to seeds alone", "R² of the expansion, held out, and the most possible",
            "variance between points that it explains"]
    parts = [f"### {measure} ({'higher' if higher else 'lower'} is better)", "",
             f"{len(points)} points, {seeds} seeds; {losses}.", "",
             table(head, overview_rows(found, outcomes, sign, smallest))]
    order = order_by_total(found)
    for control, one in found.items():
        rows = [[one["conditions"][i]["name"], *(cell(one["conditions"][i][kind]) for kind in ("binned", "first", "total"))]
                for i in order]
        parts += ["", f"ebr minus {control}: shares of the variance between points, with 95 % intervals", "",
                  table(["condition", "first order, by bins", "first order, by the expansion", "total"], rows)]
    chosen, worst = best_points(found, higher)
    rows = [[str(k + 1), *(f"{np.nanmean(outcome[i]):+.3f} ({found[control]['predicted'][i]:+.3f})"
                           for control, outcome in outcomes.items()),
             ", ".join(f"{name} {shown(points[name][i])}" for name in points)] for k, i in enumerate(chosen)]
    parts += ["", "The best points by what the expansion predicts against the hardest control: mean of their seeds (predicted)",
              "", table(["", *(f"minus {control}" for control in outcomes), "point"], rows)]
    return "\n".join(parts)


def shown(value):
    return f"{value:.3g}" if isinstance(value, (float, np.floating)) else yaml_value(value)


def yaml_value(value):
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return f"{value:.9g}" if isinstance(value, (float, np.floating)) else str(value)


def listed(head, entries):
    """`head: [entries]` in lines of YAML, a point's arms together."""
    groups = [", ".join(entries[k:k + len(ARMS)]) for k in range(0, len(entries), len(ARMS))]
    return [(f"{head}: [" if k == 0 else " " * (len(head) + 3)) + group + ("]" if k == len(groups) - 1 else ",")
            for k, group in enumerate(groups)]


def confirmation(results, points, chosen, folder):
    """A sweep of the chosen points, all arms, on fresh seeds, synthetic and mfeat."""
    text = results.attributes["sweep"]
    base = text[text.index("base:"):text.index("axes:")].rstrip()
    first = int(results.runs["seed"].max()) + 1
    lines = ["name: where-ebr-wins-confirm",
             "question: Does EBR stay best where it looked best, on seeds that did not choose the points and on real data?",
             "", f"# Written by analysis/sensitivity.py --confirm from {results.path.name}; analysis/confirm.py judges.",
             base, "",
             "axes:", "  zip:", "    - data.source: [synthetic, hdf5]", f'      data.file: ["", {folder}/mfeat.h5]',
             "      data.modalities: [3, 6]", "      data.test: [2048, 0]"]
    for place, name in enumerate(points):
        entries = [yaml_value(points[name][i]) for i in chosen for _ in ARMS]
        for k, arm in enumerate(arm for _ in chosen for arm in ARMS):
            if (name, arm) in (("ebr.lambda", "lambda = 0"), ("auxiliary.weight", "vanilla")):
                entries[k] = "0"
        lines += listed(("    - " if place == 0 else "      ") + name, entries)
    methods = {"ebr": "kd+ebr", "lambda = 0": "kd+ebr", "kd": "kd", "vanilla": "vanilla"}
    lines += listed("      method", [methods[arm] for _ in chosen for arm in ARMS])
    lines += [f"  seed: {{from: {first}, count: 20}}", "",
              "measure: {every: 0, spectra: [], contributions: false, unimodal: false}", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--measure", action="append", help=f"a column of results; {' and '.join(MEASURES)} by default")
    parser.add_argument("--json", action="store_true", help="everything, as JSON (the default is --markdown)")
    parser.add_argument("--markdown", action="store_true", help="tables")
    parser.add_argument("--figure", type=Path, help="draw the map of the first measure: a name with .png, .pdf or .svg")
    parser.add_argument("--confirm", type=Path, help="write a sweep of the best points by the first measure, on fresh seeds")
    parser.add_argument("--data", default="../results/data", help="folder of mfeat.h5, as seen from that sweep")
    options = parser.parse_args()
    try:
        results = results_file.read(options.results)
        judged = {measure: judge(results, measure) for measure in options.measure or MEASURES}
    except (results_file.ResultsError, Unusable, Unpaired) as reason:
        print(f"sensitivity: {reason}", file=sys.stderr)
        return 2
    first = next(iter(judged))
    points, conditions, outcomes, found = judged[first]
    if options.json:
        print(json.dumps({measure: {control: {key: value for key, value in one.items() if key != "predicted"}
                                    for control, one in own[3].items()} for measure, own in judged.items()}, indent=1))
    else:
        losses = ", ".join(f"{count} runs {status}" for status, count in results.runs["status"].value_counts().items())
        print("\n\n".join(as_markdown(measure, own[0], own[2], own[3], losses) for measure, own in judged.items()))
    if options.figure:
        from map_figure import draw
        draw(conditions, outcomes, order_by_total(found)[:3], first, options.figure)
    if options.confirm:
        chosen, _ = best_points(found, first != "test_loss")
        options.confirm.write_text(confirmation(results, points, chosen, options.data), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
