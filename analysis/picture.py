"""Panels as self-contained SVG images, in one style: readable without colour, on a phone, and on paper."""
import base64
import functools
import io
import textwrap
from dataclasses import dataclass, field

import matplotlib
import numpy as np

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from arrange import interval  # noqa: E402

# After Okabe & Ito (2008): told apart with any colour vision, each with its own marker and dash.
STYLES = (("#0072B2", "o", "-"), ("#D55E00", "s", "--"), ("#666666", "D", ":"), ("#009E73", "^", "-."),
          ("#A0529B", "v", (0, (5, 1, 1, 1, 1, 1))), ("#8A6D00", "P", (0, (1, 1))), ("#000000", "X", (0, (8, 2))),
          ("#4DA6D9", "<", (0, (3, 2))))
SIZE = (4.0, 2.9)

plt.rcParams.update({
    "font.size": 10, "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#e4e4e4",
    "grid.linewidth": 0.8, "axes.edgecolor": "#777777", "xtick.color": "#333333", "ytick.color": "#333333",
    "lines.linewidth": 1.7, "lines.markersize": 5.5, "svg.fonttype": "path", "svg.hashsalt": "ebrsweep",
    "axes.axisbelow": True})


@dataclass
class Panel:
    paint: object  # a function without arguments: a new matplotlib figure
    image: str     # the same as a data: address
    alt: str


@dataclass
class Figure:
    title: str
    text: str
    panels: list = field(default_factory=list)
    arms: list = field(default_factory=list)
    skipped: str = ""  # why there are no panels


def style(arms, arm):
    return STYLES[arms.index(arm) % len(STYLES)]


def encode(figure):
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    plt.close(figure)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def panel(title, x, y, draw, alt):
    def paint():
        figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
        axes.set_title(textwrap.fill(title, 40))
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        draw(axes)
        return figure

    return Panel(paint, encode(paint()), alt)


def shifted(x, place, count, log):
    """x moved a little, so that intervals of several arms at one place do not cover each other."""
    step = (place - (count - 1) / 2) / max(count, 1)
    return np.asarray(x, dtype=float) * 2 ** (0.16 * step) if log else np.asarray(x, dtype=float) + 0.3 * step


def draw_lines(axes, runs, arms, x, y, log=False):
    """Mean of y over runs against x, one line an arm, 95 % intervals as bars. Answers the same in words."""
    told = []
    for place, arm in enumerate(arms):
        own = runs[(runs["arm"] == arm) & runs[y].notna()]
        if own.empty:
            continue
        places, means, halves = zip(*[(value, *interval(group[y])[:2]) for value, group in own.groupby(x)])
        colour, marker, dash = style(arms, arm)
        axes.errorbar(shifted(places, place, len(arms), log), means, np.nan_to_num(halves), color=colour, marker=marker,
                      linestyle=dash, capsize=2, elinewidth=1, label=arm)
        told.append(f"{arm}: " + ", ".join(f"{mean:.3g} at {value:g}" for value, mean in zip(places, means)))
    ticks = sorted(runs[x].dropna().unique())
    if log:
        axes.set_xscale("log", base=2)
    if len(ticks) <= 12:
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    return "; ".join(told)


def lines(runs, arms, x, y, title, x_label, y_label, log=False, finish=None):
    """A panel of draw_lines; its alt text carries the numbers. finish(axes) may add to it."""
    told = []

    def draw(axes):
        told.append(draw_lines(axes, runs, arms, x, y, log))
        if finish:
            finish(axes)

    made = panel(title, x_label, y_label, draw, "")
    made.alt = f"{y_label} against {x_label}; {title}. {told[0]}."
    return made


@functools.cache
def swatch(colour, marker, dash):
    """A short line with an arm's colour, dash and marker, for the legend."""
    figure, axes = plt.subplots(figsize=(0.5, 0.18))
    axes.set_position([0, 0, 1, 1])
    axes.axis("off")
    axes.plot([0, 1, 2], [0, 0, 0], color=colour, linestyle=dash, linewidth=1.7)
    axes.plot([1], [0], color=colour, marker=marker, markersize=5.5)
    return encode(figure)
