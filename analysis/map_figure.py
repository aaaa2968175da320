"""The map of an outcome: its mean over bins of the strongest conditions, and over two of them together."""
import numpy as np
from matplotlib.figure import Figure

import indices
import picture  # noqa: F401  sets the style
from picture import STYLES

BINS, LEVELS = 8, 3


def mean_and_error(values):
    return values.mean(), 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan


def logarithmic(condition):
    values = condition.values
    return not condition.kinds and values.min() > 0 and values.max() / values.min() >= 16


def middles(condition, codes):
    """Where a bin stands on the axis: the median of its values, on a logarithmic axis too."""
    return np.array([np.median(condition.values[codes == code]) for code in np.unique(codes)])


def finish(axes, condition, title, label):
    axes.axhline(0, color="#333333", linewidth=1)
    axes.set_title(title)
    axes.set_xlabel(condition.name)
    axes.set_ylabel(label)
    if condition.kinds:
        axes.set_xticks(range(len(condition.kinds)), condition.kinds)
    elif logarithmic(condition):
        axes.set_xscale("log")


def line(axes, condition, codes, rows, outcome, place, count, styles, name):
    """Mean and 95 % interval in each bin, a little to the side so that lines at one place do not cover each other."""
    colour, marker, dash = styles[place]
    chosen = [(x, *mean_and_error(outcome[rows & (codes == code)]))
              for x, code in zip(middles(condition, codes), np.unique(codes)) if (rows & (codes == code)).sum() > 1]
    x, mean, error = np.array(chosen).T
    step = (place - (count - 1) / 2) / 60
    if logarithmic(condition):
        x = x * (condition.values.max() / condition.values.min()) ** step
    else:
        x = x + np.ptp(condition.values) * step
    axes.errorbar(x, mean, error, color=colour, marker=marker, linestyle=dash, capsize=2.5, label=name)


def level_names(condition, codes):
    names = []
    for code in np.unique(codes):
        own = condition.values[codes == code]
        if condition.kinds:
            names.append(condition.kinds[int(own[0])])
        else:
            names.append(f"{own.min():.3g} to {own.max():.3g}" if own.min() < own.max() else f"{own.min():.3g}")
    return names


def draw(conditions, outcomes, strongest, measure, path):
    """One panel a condition with a line a control; a last one with the first condition in levels of the second."""
    label = f"{measure.replace('_', ' ')}: ebr minus control"
    figure = Figure(figsize=(9, 6.6), layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    everything = np.ones(len(conditions[0].values), dtype=bool)
    means = {control: np.nanmean(outcome, axis=1) for control, outcome in outcomes.items()}
    for panel, place in zip(axes, strongest):
        own = conditions[place]
        codes = indices.bins_of(own, BINS)
        for order, (control, mean) in enumerate(means.items()):
            line(panel, own, codes, everything, mean, order, len(means), STYLES, f"minus {control}")
        finish(panel, own, f"by {own.name}", label)
    axes[0].legend(frameon=False, fontsize=8)
    for unused in axes[len(strongest):3]:
        unused.set_visible(False)
    if len(strongest) < 2:
        axes[3].set_visible(False)
    else:
        first, second = conditions[strongest[0]], conditions[strongest[1]]
        control, mean = next(iter(means.items()))
        levels = indices.bins_of(second, LEVELS)
        if not second.kinds and len(np.unique(levels)) > LEVELS:
            levels = np.minimum(((indices.ranks(second.values) + 1) / 2 * LEVELS).astype(int), LEVELS - 1)
        codes = indices.bins_of(first, BINS // 2)
        names = level_names(second, levels)
        for order, (level, name) in enumerate(zip(np.unique(levels), names)):
            line(axes[3], first, codes, levels == level, mean, order, len(names), STYLES[3:], f"{second.name} {name}")
        finish(axes[3], first, f"minus {control}, by both", label)
        axes[3].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)
