"""The paper's figures and tables, each drawn from the results of its own sweep, with 95 % intervals over seeds. Each entry of
OF_SWEEP is a list of (title, sentence, function of (results, runs) that answers panels or a table)."""
import numpy as np

import picture
from arrange import interval, order_of_arms
from picture import Figure

RATES = "missing_accuracy."
# What fills a gap in the paper's Table 1: the program's name for it, and words.
FILLINGS = (("zero", "zeros"), ("mean", "training mean"), ("retrieve", "retrieval"), ("drop", "edges dropped"),
            ("substitute", "substitution"), ("autoencoder", "autoencoder"))


def last_of(runs, prefix):
    return [row.get(f"{prefix}{int(row['modalities']) - 1}", np.nan) for _, row in runs.iterrows()]


def told(by, values):
    return ", ".join(f"m = {value}" if name == "modalities" else str(value)
                     for name, value in zip(by, values if len(by) > 1 else (values,)))


def against(runs, x, y, x_label, y_label, log=False, by=("dataset",), finish=None):
    """A panel for each group of runs: mean of y against x, a line an arm."""
    arms = order_of_arms(runs)

    return [picture.lines(own, arms, x, y, told(by, name), x_label, y_label, log=log, finish=finish)
            for name, own in runs.groupby(list(by) if len(by) > 1 else by[0], sort=False) if own[y].notna().any()]


def dots(runs, y, label):
    """A panel for each data set: one dot an arm, named on the axis, with its interval."""
    arms = order_of_arms(runs)
    panels = []
    for name, own in runs.groupby("dataset", sort=False):
        rows = [(arm, *interval(own[own["arm"] == arm][y])) for arm in arms]
        rows = [row for row in rows if row[3]]

        def draw(axes, rows=rows):
            places = np.arange(len(rows))[::-1]
            for place, (arm, mean, half, _) in zip(places, rows):
                colour, marker, _ = picture.style(arms, arm)
                axes.errorbar(mean, place, xerr=np.nan_to_num(half), color=colour, marker=marker, capsize=2)
            axes.set_yticks(places, [row[0] for row in rows])
            axes.set_ylim(-0.6, len(rows) - 0.4)

        told = "; ".join(f"{arm} {mean:.3g} ± {half:.2g}" for arm, mean, half, _ in rows)
        panels.append(picture.panel(str(name), label, "", draw, f"{label}; {name}. {told}."))
    return panels


def loss_curves(results, runs):
    """Test loss over epochs, mean over seeds with the interval as a band."""
    arms = order_of_arms(runs)
    panels = []
    for name, own in runs.groupby("dataset", sort=False):
        told = []

        def draw(axes, own=own, told=told):
            for arm in arms:
                curve = results.curve("test_loss.by_epoch", own.index[own["arm"] == arm])
                if curve.empty:
                    continue
                points = [(epoch, *interval(values)) for epoch, values in curve.groupby("epoch")["value"]]
                epochs, means, halves, _ = map(np.array, zip(*points))
                colour, marker, dash = picture.style(arms, arm)
                axes.plot(epochs, means, color=colour, linestyle=dash, marker=marker, markevery=2, markersize=4.5,
                          label=arm)
                axes.fill_between(epochs, means - halves, means + halves, color=colour, alpha=0.15, linewidth=0)
                told.append(f"{arm} ends at {means[-1]:.3g} ± {halves[-1]:.2g}")
            axes.set_yscale("log")

        made = picture.panel(str(name), "epoch", "test loss [nats]", draw, "")
        made.alt = f"Test loss over epochs; {name}. " + "; ".join(told) + "."
        panels.append(made)
    return panels


def of_rank(results, runs):
    return dots(runs, "updates.effective_rank", "effective rank of the updates") + \
        dots(runs, "head.effective_rank", "effective rank of the head")


def of_modalities(results, runs):
    runs = runs.assign(last=last_of(runs, "probe_loss."), alone=last_of(runs, "alone_loss."))
    vanilla = runs[runs["method"] == "vanilla"]
    panels = []
    for name, own in runs.groupby("dataset", sort=False):
        alone = vanilla[vanilla["dataset"] == name].groupby("modalities")["alone"].mean()
        panels += against(own, "modalities", "last", "modalities m", "loss of the weakest modality [nats]",
                          finish=lambda axes, alone=alone: axes.plot(alone.index, alone, color="#999999", linewidth=3,
                                                                     alpha=0.6, zorder=0))
    return panels


def of_orders(results, runs):
    """A panel an order: the watched modality is its first, and vanilla's runs know what it reaches alone."""
    panels = []
    for order, own in runs.groupby("data.order", sort=False):
        alone = own[own["method"] == "vanilla"].groupby("modalities")["alone_loss.0"].mean()
        panels += against(own.assign(dataset=f"{own['dataset'].iloc[0]}, {order}"), "modalities", "probe_loss.0",
                          "modalities m", "loss of the first modality [nats]",
                          finish=lambda axes, alone=alone: axes.plot(alone.index, alone, color="#999999", linewidth=3,
                                                                     alpha=0.6, zorder=0))
    return panels


def of_interference(results, runs):
    return [panel for y, label in (("shared_neurons.relative.0.1", "share of shared neurons"),
                                   ("weakest_contribution", "weakest contribution [nats]"))
            for panel in against(runs, "model.width", y, "width n of the head", label, log=True,
                                 by=("dataset", "modalities"))]


def of_strength(results, runs):
    return [panel for y, label in (("fused_standardised.effective_rank", "effective rank, fused"),
                                   ("latent_similarity", "likeness of latents (CKA)"))
            for panel in against(runs, "model.strength.last", y, "strength β of the last modality", label, log=True)]


def of_noise(results, runs):
    return [panel for y, label in (("test_accuracy", "test accuracy"), ("auc_roc", "AUC-ROC"))
            for panel in against(runs, "data.feature_noise", y, "share of noisy inputs", label,
                                 by=("dataset", "model.fusion"))]


def cell(values):
    mean, half, count = interval(values)
    return (np.nan, "–") if count == 0 else (mean, f"{mean:.3f} ± {half:.3f}")


def table(rows, columns):
    """Rows of (name, [values of each column]); the best mean of a column is marked."""
    cells = [(name, [cell(values) for values in row]) for name, row in rows]
    best = [np.nanmax([row[k][0] for _, row in cells]) for k in range(len(columns))]
    return columns, [(name, [(text, mean == best[k]) for k, (mean, text) in enumerate(row)]) for name, row in cells]


def of_missing(results, runs):
    rates = sorted({float(name.rsplit(".", 2)[-2] + "." + name.rsplit(".", 1)[-1]) for name in runs
                    if name.startswith(RATES + "mean.")})
    runs = runs.assign(arm=[row["arm"] + ("" if row["model.fusion"] == "concat" else f", {row['model.fusion']}")
                            + ("" if row["missing.train"] == "[0]" else ", modality dropout") for _, row in runs.iterrows()])
    tables = []
    for name, own in runs.groupby("dataset", sort=False):
        rows = []
        for arm in order_of_arms(own):
            some = own[own["arm"] == arm]
            vanilla = some["method"].iloc[0] == "vanilla"
            for filling, words in FILLINGS:
                graph = some["model.fusion"].iloc[0] != "concat"
                if (filling == "substitute") == vanilla or (filling == "drop") != graph and vanilla:
                    continue
                names = [f"{RATES}{filling}.{rate:g}" for rate in rates]
                if set(names) <= set(runs) and some[names].notna().any(axis=None):
                    rows.append((f"{arm}: {words}", [some[name] for name in names]))
        tables.append((str(name), *table(rows, [f"{rate:.0%} missing" for rate in rates])))
    return tables


def of_scarce(results, runs):
    """Arms, and heads that stand for an arm, against how much of the last modality the training pairs lack."""
    runs = runs.assign(arm=[row["arm"] + ("" if row["model.fusion"] == "concat" else f", {row['model.fusion']}")
                            for _, row in runs.iterrows()])
    rates = list(dict.fromkeys(runs["missing.train"]))
    return [(str(name), *table([(arm, [own[(own["arm"] == arm) & (own["missing.train"] == rate)]["test_accuracy"]
                                       for rate in rates]) for arm in order_of_arms(own)],
                               [f"{float(rate.strip('[]').split(',')[-1]):.0%} missing" for rate in rates]))
            for name, own in runs.groupby("dataset", sort=False)]


def of_heads(results, runs):
    heads = list(dict.fromkeys(runs["model.fusion"]))
    return [(str(name), *table([(arm, [own[(own["arm"] == arm) & (own["model.fusion"] == head)]["test_accuracy"]
                                       for head in heads]) for arm in order_of_arms(own)], heads))
            for name, own in runs.groupby("dataset", sort=False)]


def of_order(results, runs):
    return dots(runs, "test_accuracy", "test accuracy") + dots(runs, "test_loss", "test loss [nats]")


NAMED_ON_AXIS = (of_rank, of_order)
OF_SWEEP = {
    "figure-1-interference": (("Figure 1: collisions and contribution", "More width, fewer neurons that modalities share? And "
                               "what the weakest modality contributes.", of_interference),),
    "figure-3-rank": (("Figure 3: rank of the head and of its updates", "Roy &amp; Vetterli's effective rank at the end of "
                       "training; updates are the sum of all changes of the head's first layer.", of_rank),),
    "figure-4-modalities": (("Figure 4: the weakest modality's loss", "Of a fresh linear classifier on the weakest modality's "
                             "slice; the broad grey line is that modality trained alone.", of_modalities),),
    "figure-4-orders": (("Figure 4 on mfeat: each modality watched", "Loss of a fresh linear classifier on the first "
                         "modality's slice, by the order in which others join it; the grey line is it alone.", of_orders),),
    "figure-5-strength": (("Figure 5: rank and likeness against strength", "Effective rank of the fused representation, each "
                           "modality's slice at one scale; and linear CKA of latents, mean over pairs.", of_strength),),
    "figure-6-convergence": (("Figure 6: convergence", "Test loss, mean over seeds; the band is its 95 % interval.",
                              loss_curves),),
    "figure-7-noise": (("Figure 7: noise", "Accuracy and AUC-ROC against the share of noisy inputs, for each fusion head.",
                        of_noise),),
    "table-1-missing": (("Table 1: modalities missing at test", "Test accuracy; bold is the best mean of a column.",
                         of_missing),),
    "table-1-audio": (("Table 1: a modality missing in training", "Test accuracy with both there; the last modality (avMNIST: "
                       "audio) is missing from so many training pairs; bold is the best mean of a column.", of_scarce),),
    "table-2-agnostic": (("Table 2: fusion heads", "Test accuracy; bold is the best mean of a column.", of_heads),),
    "order-of-distillation": (("Order of distillation", "Students start together, or one after the other.", of_order),),
}


def draw_all(name, results, runs):
    """The figures and tables of the sweep of this name; none for one that the paper has no figure of."""
    for title, sentence, function in OF_SWEEP.get(name, ()):
        figure = Figure(title, sentence, arms=[] if function in NAMED_ON_AXIS else order_of_arms(runs))
        try:
            figure.panels = function(results, runs)
        except KeyError as reason:
            figure.skipped = f"the results have no {reason.args[0]}"
        yield figure
