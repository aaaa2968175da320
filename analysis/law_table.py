#!/usr/bin/env python3
"""The law's verdicts as one table, regime x method, as README.md shows it. From the answers of `ebrsweep law RESULTS --json`,
each named after its sweep:

    python3 analysis/law_table.py results/quadratic-dense.law.json results/quadratic-sparse.law.json
"""
import json
import sys
from pathlib import Path

NOT_A_REGIME = ("method", "ebr.lambda")


def arm(group):
    """The column of a group: its method, and lambda where the method has one."""
    method = group.get("method", "all runs")
    return f"{method}, λ = {group['ebr.lambda']:g}" if "ebr" in method and "ebr.lambda" in group else method


def regime(sweep, group):
    values = (f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
              for name, value in group.items() if name not in NOT_A_REGIME)
    return ", ".join([sweep, *values])


def cell(judged):
    """gamma, its interval and the verdict; a group that could not be fitted has a verdict alone."""
    fit = (judged.get("forms") or {}).get("pairs-power")
    if not fit or fit["parameters"].get("gamma") is None:
        return judged["verdict"]
    low, high = fit["interval"]["gamma"]
    return f"{fit['parameters']['gamma']:.3f} [{low:.3f}, {high:.3f}] {judged['verdict']}"


def table(paths):
    rows, arms = {}, {}
    for path in paths:
        sweep = Path(path).name.split(".")[0]
        for judged in json.loads(Path(path).read_text(encoding="utf-8")):
            column = arms.setdefault(arm(judged["group"]), len(arms))
            rows.setdefault(regime(sweep, judged["group"]), {})[column] = cell(judged)
    yield f"| regime | {' | '.join(arms)} |"
    yield "| --- |" + " --- |" * len(arms)
    for name, cells in rows.items():
        yield f"| {name} | {' | '.join(cells.get(column, '') for column in arms.values())} |"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python3 analysis/law_table.py ANSWER_OF_LAW.json...")
    print("\n".join(table(sys.argv[1:])))
