#!/usr/bin/env python3
"""The figures of a report: each is a function of (results, runs) that answers a Figure, with panels or a reason for
having none. As a program it draws them as files, one a panel, for papers:

    python3 analysis/figures.py results/figure-6-convergence.h5 --format pdf -o figures
"""
import argparse
import re
import sys
from pathlib import Path

import numpy as np

import claim_figures
import picture
import results as results_file
from arrange import arrange, order_of_arms
from picture import Figure

PANELS_MOST = 6
ACCURACY, LOSS = "test_accuracy", "test_loss"
TRAIN_CURVE, TEST_CURVE = "train_loss.by_epoch", "test_loss.by_epoch"
HEAD_RANK, FUSED_RANK = "head.effective_rank", "fused_standardised.effective_rank"
CONTRIBUTION, COLLAPSE = "contribution.", "collapse_index."
PAIRS = re.compile(r"^colliding_pairs\.(relative|absolute|neuron)\.([0-9.e+-]+)$")


class Missing(Exception):
    """A figure cannot be drawn; the message says what the results lack."""


def need(frame, *names):
    for name in names:
        if name not in frame or not frame[name].notna().any():
            raise Missing(f"the results have no values of {name}")


def settings(runs):
    return list(dict.fromkeys(runs["setting"]))[:PANELS_MOST]


def where(setting, m=None):
    return ", ".join(part for part in (setting, f"m = {m}" if m is not None else "") if part) or "all runs"


def middle_places(runs):
    """One (setting, m, runs) for each setting, at the number of modalities in the middle of those it has."""
    for setting in settings(runs):
        own = runs[runs["setting"] == setting]
        counts = sorted(own["modalities"].unique())
        m = counts[len(counts) // 2]
        yield setting, m, own[own["modalities"] == m]


def against_modalities(runs, name, label, finish=None):
    need(runs, name)
    if runs["modalities"].nunique() < 2:
        raise Missing("every run has the same number of modalities")
    arms = order_of_arms(runs)
    return [picture.lines(own, arms, "modalities", name, where(setting), "modalities m", label, log=True, finish=finish)
            for setting in settings(runs) for own in [runs[runs["setting"] == setting]]
            if own[name].notna().any() and own["modalities"].nunique() > 1]


def accuracy(results, runs):
    return against_modalities(runs, ACCURACY, "test accuracy")


def last_value(runs, prefix):
    """Of each run the value of its last modality, m - 1."""
    return [row.get(f"{prefix}{int(row['modalities']) - 1}", np.nan) for _, row in runs.iterrows()]


def contributions(results, runs):
    """Contribution of each modality, a panel a setting."""
    names = [name for name in runs if re.fullmatch(re.escape(CONTRIBUTION) + r"\d+", name)]
    if not names:
        raise Missing(f"the results have no values of {CONTRIBUTION}0")
    arms = order_of_arms(runs)
    panels = []
    for setting, m, own in middle_places(runs):
        long = own.melt(id_vars=["arm"], value_vars=names, var_name="name", value_name="contribution")
        long["modality"] = long["name"].str.removeprefix(CONTRIBUTION).astype(int)
        panels.append(picture.lines(long[long["contribution"].notna()], arms, "modality", "contribution",
                                    where(setting, m), "modality", "rise of test loss without it [nats]",
                                    finish=lambda axes: axes.axhline(0, color="#777777", linewidth=0.8)))
    return panels


def collapse(results, runs):
    """Collapse index of the last modality against m."""
    runs = runs.assign(collapsed=last_value(runs, COLLAPSE))
    if not runs["collapsed"].notna().any():
        raise Missing(f"the results have no values of {COLLAPSE}0")
    return against_modalities(runs, "collapsed", "collapse index of the last modality",
                              lambda axes: axes.axhline(1, color="#777777", linewidth=0.8))


def head_rank(results, runs):
    return against_modalities(runs, HEAD_RANK, "effective rank")


def fused_rank(results, runs):
    return against_modalities(runs, FUSED_RANK, "effective rank")


def quadratic(own, name):
    """The line c m (m - 1) / 2 through the reference's means, by least squares of the logarithms."""
    means = own[own["arm"] == own["arm"].iloc[0]].groupby("modalities")[name].mean()
    means = means[(means > 0) & (means.index > 1)]
    if means.empty:
        return None
    m = means.index.to_numpy(dtype=float)
    factor = np.exp(np.mean(np.log(means.to_numpy()) - np.log(m * (m - 1) / 2)))
    fine = np.geomspace(m.min(), m.max(), 60)
    return fine, factor * fine * (fine - 1) / 2


def collisions(results, runs):
    """Cross-modal colliding pairs against m, a panel a threshold, with the quadratic claim as a line."""
    found = [(name, *PAIRS.match(name).groups()) for name in runs if PAIRS.match(name) and runs[name].notna().any()]
    if not found:
        raise Missing("the results have no values of colliding_pairs")
    if runs["modalities"].nunique() < 2:
        raise Missing("every run has the same number of modalities")
    setting = max(settings(runs), key=lambda s: runs[runs["setting"] == s]["modalities"].nunique())
    own = runs[runs["setting"] == setting]
    arms = order_of_arms(runs)
    own = own.assign(order=own["arm"].map(arms.index)).sort_values("order", kind="stable")
    panels = []
    for name, kind, threshold in found[:PANELS_MOST]:
        def finish(axes, name=name):
            line = quadratic(own, name)
            if line:
                axes.plot(*line, color="#000000", linewidth=1, zorder=1)
            untrained = own.groupby("modalities")[f"initial.{name}"].mean() if f"initial.{name}" in own else []
            if len(untrained):
                axes.plot(untrained.index, untrained, color="#999999", linewidth=3, alpha=0.6, zorder=0)
            if (own[name] > 0).any():
                axes.set_yscale("log", nonpositive="clip")
        panels.append(picture.lines(own, arms, "modalities", name, f"{where(setting)}",
                                    "modalities m", f"colliding pairs, {kind} {threshold}", log=True, finish=finish))
    return panels


def curves(results, runs):
    """Training (thin) and test loss over the epochs, mean over seeds."""
    for name in (TRAIN_CURVE, TEST_CURVE):
        if name not in results.curves:
            raise Missing(f"the results have no curve {name}")
    if results.curves[TEST_CURVE].shape[1] < 3:
        raise Missing("curves have a start and an end only: the sweep sets measure.every to 0")
    arms = order_of_arms(runs)
    panels = []
    for setting, m, own in middle_places(runs):
        told = []

        def draw(axes, own=own, told=told):
            for arm in arms:
                rows = own.index[own["arm"] == arm]
                colour, marker, dash = picture.style(arms, arm)
                for name, width, mark in ((TRAIN_CURVE, 0.7, ""), (TEST_CURVE, 1.7, marker)):
                    mean = results.curve(name, rows).groupby("epoch")["value"].mean()
                    if mean.empty:
                        continue
                    axes.plot(mean.index, mean, color=colour, linestyle=dash, linewidth=width, marker=mark,
                              markevery=max(1, len(mean) // 6), markersize=4.5)
                    told.append(f"{arm} {name} ends at {mean.iloc[-1]:.3g}")
            axes.set_yscale("log")

        made = picture.panel(where(setting, m), "epoch", "loss [nats]", draw, "")
        made.alt = f"Loss over epochs; {where(setting, m)}. " + "; ".join(told) + "."
        panels.append(made)
    return panels


def decay(results, runs, name):
    """Singular values over the first one, median over seeds."""
    if name not in results.spectra:
        raise Missing(f"the results have no spectrum {name}")
    arms = order_of_arms(runs)
    panels = []
    for setting, m, own in middle_places(runs):
        told = []

        def draw(axes, own=own, told=told):
            for arm in arms:
                found = [results.last_spectrum(name, row) for row in own.index[own["arm"] == arm]]
                found = [values / values[0] for values in found if len(values) and values[0] > 0]
                if not found:
                    continue
                count = min(len(values) for values in found)
                median = np.median([values[:count] for values in found], axis=0)
                colour, marker, dash = picture.style(arms, arm)
                axes.plot(np.arange(1, count + 1), np.maximum(median, 1e-8), color=colour, linestyle=dash,
                          marker=marker, markevery=max(1, count // 6), markersize=4.5)
                told.append(f"{arm}: the value in the middle is {median[count // 2]:.2g} of the first")
            axes.set_yscale("log")

        made = picture.panel(where(setting, m), "index", "singular value / largest", draw, "")
        made.alt = f"Singular values, {name}; {where(setting, m)}. " + "; ".join(told) + "."
        panels.append(made)
    return panels


def head_decay(results, runs):
    return decay(results, runs, "head")


def fused_decay(results, runs):
    return decay(results, runs, "fused")


FIGURES = (
    ("Test accuracy", "Mean over seeds against the number of modalities; bars are 95 % intervals of the mean.",
     accuracy),
    ("What each modality contributes", "How much the test loss rises when one modality is replaced by its mean. "
     "A modality near zero could be left out: the network does not use it.", contributions),
    ("Collapse of the last modality", "1 − contribution / what the same modality contributes to a network of its own. "
     "0: used as much as alone; 1 (the grey line): not used at all.", collapse),
    ("Effective rank of the fusion head", "Of the weights of the head's first layer (Roy &amp; Vetterli 2007).",
     head_rank),
    ("Effective rank of the fused representation", "Of what the head sees on the test samples, centred, each modality's "
     "slice at one scale (a modality's strength alone would move the raw rank).", fused_rank),
    ("Colliding neurons", "Pairs of features from different modalities that share a neuron of the head, at several "
     "thresholds. The thin black line is c·m(m−1)/2 through the first arm's means, the paper's quadratic claim; the broad "
     "grey one is the head before training, which shows how much of the growth is mere combinatorics.", collisions),
    ("Loss curves", "Mean over seeds; lines with markers are test loss, thin lines training loss.", curves),
    ("Spectrum of the fusion head", "Singular values at the end of training, median over seeds.", head_decay),
    ("Spectrum of the fused representation", "Singular values at the end of training, median over seeds.", fused_decay),
)


def draw_all(results, runs):
    """Every figure; what cannot be drawn says why."""
    arms = order_of_arms(runs)
    for title, sentence, function in FIGURES:
        figure = Figure(title, sentence, arms=arms)
        try:
            figure.panels = function(results, runs)
            if not figure.panels:
                figure.skipped = "no setting has values for it"
        except Missing as reason:
            figure.skipped = str(reason)
        yield figure


def files_of(results, folder, ending):
    """Draws the figures of one results file into folder: those of the paper where its sweep has any, else all. Answers what
    was written; what cannot be drawn is said."""
    runs = arrange(results)
    runs = runs[runs["status"] == "done"]
    name = str(results.attributes.get("name") or results.path.stem)
    if runs.empty:
        raise results_file.ResultsError(f"{results.path}: no run has ended yet, so there is nothing to draw")
    drawn = claim_figures.draw_all(name, results, runs) if name in claim_figures.OF_SWEEP else draw_all(results, runs)
    for figure in drawn:
        if figure.skipped:
            print(f"figures: {figure.title} is not drawn: {figure.skipped}", file=sys.stderr)
        for place, panel in enumerate(panel for panel in figure.panels if isinstance(panel, picture.Panel)):
            title = re.sub(r"[^a-z0-9]+", "-", figure.title.lower()).strip("-")
            path = folder / f"{name}-{title}-{place + 1}.{ending}"
            made = panel.paint()
            if made.axes[0].get_legend_handles_labels()[0]:
                made.set_size_inches(picture.SIZE[0], picture.SIZE[1] + 0.11 * len(figure.arms))
                made.axes[0].legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, frameon=False, fontsize=8)
            made.savefig(path, bbox_inches="tight")
            picture.plt.close(made)
            yield path


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Draws the figures of results files, one file a panel.")
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULTS", help="results files of ebrsweep")
    parser.add_argument("--format", choices=("pdf", "svg", "png"), default="pdf", help="default: pdf")
    parser.add_argument("-o", "--output", type=Path, default=Path("figures"), help="the folder (default: figures)")
    chosen = parser.parse_args(arguments)
    try:
        chosen.output.mkdir(parents=True, exist_ok=True)
        for path in chosen.results:
            for written in files_of(results_file.read(path), chosen.output, chosen.format):
                print(written)
    except (results_file.ResultsError, OSError) as reason:
        print(f"figures: {reason}", file=sys.stderr)
        return 2 if isinstance(reason, results_file.ResultsError) else 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
