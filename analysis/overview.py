#!/usr/bin/env python3
"""Draws one row of panels about a results file, for a paper or a page: accuracy, collapse and rank against m.

    python3 analysis/overview.py results/demo.h5 --setting digits -o doc/figures/demo.png
"""
import argparse
import sys
from pathlib import Path

import figures
import picture
import results as results_file
from arrange import arrange, order_of_arms

PANELS = ((figures.ACCURACY, "test accuracy"), ("last collapse", "collapse index, last modality"),
          (figures.FUSED_RANK, "effective rank, fused representation"))


def draw(results, setting, output):
    runs = arrange(results)
    runs = runs[(runs["status"] == "done")]
    known = list(dict.fromkeys(runs["setting"]))
    setting = setting or known[0]
    if setting not in known:
        raise results_file.ResultsError(f"{results.path}: has no setting '{setting}', but {', '.join(map(repr, known))}")
    runs = runs[runs["setting"] == setting]
    runs = runs.assign(**{"last collapse": figures.last_value(runs, figures.COLLAPSE)})
    arms = order_of_arms(runs)
    figure, places = picture.plt.subplots(1, len(PANELS), figsize=(10.5, 3.1), layout="constrained")
    for axes, (name, label) in zip(places, PANELS):
        picture.draw_lines(axes, runs, arms, "modalities", name, log=True)
        axes.set(xlabel="modalities m", ylabel=label)
    handles, labels = places[0].get_legend_handles_labels()
    figure.get_layout_engine().set(rect=(0, 0, 1, 0.91))
    figure.legend(handles, labels, loc="upper center", ncols=len(arms), frameon=False)
    figure.savefig(output, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=Path, metavar="RESULTS")
    parser.add_argument("--setting", help="which of the report's settings (default: the first)")
    parser.add_argument("-o", "--output", type=Path, default=Path("overview.png"), help="default: overview.png")
    chosen = parser.parse_args()
    try:
        draw(results_file.read(chosen.results), chosen.setting, chosen.output)
    except (results_file.ResultsError, OSError) as reason:
        print(f"overview: {reason}", file=sys.stderr)
        return 2 if isinstance(reason, results_file.ResultsError) else 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
