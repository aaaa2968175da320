#!/usr/bin/env python3
"""Writes one self-contained page about one or more results files: what was run, what was found, figures.

    python3 analysis/report.py results/demo.h5 -o results/demo.html
"""
import argparse
import html
import os
import sys
import time
from pathlib import Path

import numpy as np

import claim_figures
import figures
import page
import picture
import results as results_file
import verdicts
from arrange import arrange, interval, order_of_arms, pairs

ROWS_MOST = 80


def escape(value):
    return html.escape(str(value))


def columns(runs):
    """What the table shows: (heading, column, digits)."""
    wanted = ((("test accuracy"), figures.ACCURACY, 3), ("test loss [nats]", figures.LOSS, 3),
              ("last modality's contribution [nats]", "last contribution", 3),
              ("its collapse index", "last collapse", 2),
              ("effective rank, head", figures.HEAD_RANK, 1), ("effective rank, fused", figures.FUSED_RANK, 1))
    return [column for column in wanted if column[1] in runs and runs[column[1]].notna().any()]


def cell(values, digits):
    mean, half, count = interval(values)
    if count == 0:
        return "<td>–</td>"
    spread = f' <span class="half">± {half:.{digits}f}</span>' if np.isfinite(half) else ""
    return f"<td>{mean:.{digits}f}{spread}</td>"


def table(runs):
    """Arm by setting and m: mean and 95 % interval of each measure."""
    shown = columns(runs)
    arms = order_of_arms(runs)
    order = list(dict.fromkeys(runs["setting"]))
    places = sorted({(order.index(setting), m) for setting, m in zip(runs["setting"], runs["modalities"])})
    rows = []
    for place, m in places:
        own = runs[(runs["setting"] == order[place]) & (runs["modalities"] == m)]
        rows.append(f"<tr class=group><th scope=rowgroup colspan={2 + len(shown)}>"
                    f"<span>{escape(figures.where(order[place], m))}</span></th></tr>")
        for arm in (arm for arm in arms if (own["arm"] == arm).any()):
            some = own[own["arm"] == arm]
            cells = "".join(cell(some[name], digits) for _, name, digits in shown)
            rows.append(f"<tr><th scope=row>{escape(arm)}</th><td>{len(some)}</td>{cells}</tr>")
    note = "" if len(rows) <= ROWS_MOST else f"<p>The first {ROWS_MOST} of {len(rows)} rows.</p>"
    return framed("method", "runs", shown, rows[:ROWS_MOST]) + note


def framed(first, second, shown, rows):
    """A table that scrolls sideways where the screen is narrow."""
    head = "".join(f"<th scope=col>{escape(title)}</th>" for title, _, _ in shown)
    return (f"<div class=scroll tabindex=0><table><thead><tr><th scope=col>{first}</th><th scope=col>{second}</th>"
            f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>")


def versus(runs):
    """Each arm against vanilla, in pairs that share data and initial weights."""
    arms = order_of_arms(runs)
    if "vanilla" not in arms or len(arms) < 2:
        return "<p class=skipped>Not shown: it needs runs of vanilla and of another method.</p>"
    shown = columns(runs)
    rows = []
    for arm in arms:
        if arm == "vanilla":
            continue
        cells, count = [], 0
        for _, name, digits in shown:
            differences = pairs(runs, arm, name)["difference"]
            mean, half, found = interval(differences)
            count = max(count, found)
            clear = np.isfinite(half) and abs(mean) > half
            mark = "<strong>" if clear else "<span>"
            end = mark.replace("<", "</")
            cells.append("<td>–</td>" if found == 0 else
                         f'<td>{mark}{mean:+.{digits}f}{end} <span class="half">± {half:.{digits}f}</span></td>')
        rows.append(f"<tr><th scope=row>{escape(arm)}</th><td>{count}</td>{''.join(cells)}</tr>")
    return framed("method", "pairs", shown, rows)


def attribute(results, *names):
    for name in names:
        if results.attributes.get(name) not in (None, ""):
            return str(results.attributes[name])
    return ""


def duration(seconds):
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def facts(results):
    """The few numbers at the top: (value, what it is)."""
    counts = results.runs["status"].value_counts()
    done, failed = int(counts.get("done", 0)), int(counts.get("failed", 0))
    waiting = int(counts.get("waiting", 0) + counts.get("running", 0))
    yield f"{len(results.runs)}", "runs"
    yield f"{done}", "done"
    yield f"{failed}", "failed"
    if waiting:
        yield f"{waiting}", "not yet done"
    ended = results.done
    if len(ended) and {"started", "seconds"} <= set(ended):
        yield duration(ended["seconds"].sum()), "of core time"
        yield duration((ended["started"] + ended["seconds"]).max() - ended["started"].min()), "from first to last"
        ranks = ended[["host", "rank"]].drop_duplicates() if {"host", "rank"} <= set(ended) else []
        yield f"{len(ranks)}", "ranks"


def place_and_time(results):
    """One line: which program, where and when."""
    version, commit = attribute(results, "version"), attribute(results, "commit")
    kernel = attribute(results, "blas_kernel")
    parts = [f"ebrsweep {version} ({commit})" if version else "",
             ", ".join(part for part in (attribute(results, "host"), attribute(results, "processor")) if part),
             f"BLAS kernel {kernel}" if kernel else "",
             " to ".join(part for part in (attribute(results, "started"), attribute(results, "finished").strip()) if part)]
    return escape(" · ".join(part for part in parts if part))


def failures(results):
    failed = results.runs[results.runs["status"] == "failed"]
    if failed.empty:
        return ""
    reasons = failed.get("reason", failed["status"]).value_counts()
    items = "".join(f"<li>{count} × {escape(reason)}</li>" for reason, count in reasons.head(10).items())
    return f"<h3>Failed runs</h3><ul>{items}</ul>"


def provenance(results):
    rows = "".join(f"<tr><th scope=row>{escape(name)}</th><td class=word>{escape(value)}</td></tr>"
                   for name, value in sorted(results.attributes.items()) if "\n" not in str(value))
    texts = "".join(f"<h3>{escape(name)}</h3><pre>{escape(value)}</pre>"
                    for name, value in sorted(results.attributes.items()) if "\n" in str(value))
    return (f"<details><summary>Where these numbers come from</summary><div class=scroll><table class=plain>{rows}"
            f"</table></div>{texts}</details>")


def drawn_table(name, columns, rows):
    head = "".join(f"<th scope=col>{escape(column)}</th>" for column in columns)
    body = ""
    for row, cells in rows:
        shown = (f"<strong>{escape(text)}</strong>" if best else escape(text) for text, best in cells)
        body += f"<tr><th scope=row>{escape(row)}</th>" + "".join(f"<td>{text}</td>" for text in shown) + "</tr>"
    return (f"<div class=scroll tabindex=0><table><thead><tr><th scope=col>{escape(name)}</th>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div><p></p>")


def figure_section(figure):
    if figure.skipped:
        return (f"<section><h3>{escape(figure.title)}</h3><p class=skipped>Not drawn: {escape(figure.skipped)}.</p>"
                "</section>")
    legend = "".join(f'<li><img src="{picture.swatch(*picture.style(figure.arms, arm))}" alt="" width=40 height=14>'
                     f"{escape(arm)}</li>" for arm in figure.arms)
    if figure.panels and isinstance(figure.panels[0], tuple):
        tables = "".join(drawn_table(*panel) for panel in figure.panels)
        return f"<section><h3>{escape(figure.title)}</h3><p>{figure.text}</p>{tables}</section>"
    images = "".join(f'<img src="{panel.image}" alt="{escape(panel.alt)}" width=400 height=290>'
                     for panel in figure.panels)
    return (f"<section><h3>{escape(figure.title)}</h3><p>{figure.text}</p><ul class=legend>{legend}</ul>"
            f"<div class=panels>{images}</div></section>")


def command(results):
    """The command that made the results, and one that shows their rows."""
    made = attribute(results, "command")
    shown = f"ebrsweep show {results.path} --where 'seed==0'"
    return (f"<p class=where>Made by <code>{escape(made)}</code>; rows: <code>{escape(shown)}</code></p>" if made else "")


def claim(results, rows):
    """What the sweep of one of the paper's figures or tables is asked: the figure as the paper draws it, and verdicts."""
    runs = arrange(results)
    runs = runs[runs["status"] == "done"]
    parts = []
    if not runs.empty:
        parts += [figure_section(figure) for figure in claim_figures.draw_all(attribute(results, "name"), results, runs)]
    return "".join(parts + (["<h3>Verdicts</h3>", verdicts.table(rows)] if rows else []))


def one(results, rows=()):
    """The page's part about one results file."""
    name = attribute(results, "name") or results.path.stem
    question = attribute(results, "question")
    numbers = "".join(f"<div><b>{escape(value)}</b><span>{escape(what)}</span></div>" for value, what in facts(results))
    place = f' id="{escape(name)}"' if name in claim_figures.OF_SWEEP else ""
    parts = [f"<h1{place}>{escape(name)}</h1>", f"<p class=question>{escape(question)}</p>" if question else "",
             f"<div class=facts>{numbers}</div><p class=where>{place_and_time(results)}</p>", command(results),
             failures(results)]
    if name in claim_figures.OF_SWEEP:
        return "".join([*parts, claim(results, rows), provenance(results)])
    runs = arrange(results)
    runs = runs[runs["status"] == "done"]
    if runs.empty:
        parts.append("<p class=skipped>No run has ended yet, so there is nothing to compare.</p>")
    else:
        runs = runs.assign(**{"last contribution": figures.last_value(runs, figures.CONTRIBUTION),
                              "last collapse": figures.last_value(runs, figures.COLLAPSE)})
        parts += ["<h2>Against vanilla</h2><p>Mean difference over pairs of runs that share data and initial weights, "
                  "with its 95 % interval; bold where the interval leaves out zero. Several comparisons are made at once: "
                  "one bold number in twenty is expected by chance.</p>", versus(runs),
                  "<h2>By method and modalities</h2><p>Mean over seeds ± half of the 95 % interval of the mean.</p>",
                  table(runs), "<h2>Figures</h2>"]
        parts += [figure_section(figure) for figure in figures.draw_all(results, runs)]
    parts.append(provenance(results))
    return "".join(parts)


def summarised(program, found):
    """Verdicts of all results first, then each results file."""
    asked = [results.path for results in found if attribute(results, "name") in claim_figures.OF_SWEEP]
    rows = []
    if asked:
        try:
            rows = verdicts.ask(program, asked)
            yield verdicts.summary(rows)
        except verdicts.NoProgram as reason:
            yield f"<p class=skipped>No verdicts: {escape(reason)}.</p>"
    for results in found:
        yield one(results, [row for row in rows if row["claim"] == attribute(results, "name")])


def write(path, text):
    """Beside and renamed, so that a reader never sees half a page."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULTS", help="results files of ebrsweep")
    parser.add_argument("-o", "--output", type=Path, default=Path("report.html"),
                        help="the page (default: report.html)")
    parser.add_argument("--program", default=verdicts.usual_program(), metavar="EBRSWEEP",
                        help="gives the verdicts (default: $EBRSWEEP, or build/release/ebrsweep)")
    chosen = parser.parse_args(arguments)
    try:
        found = [results_file.read(path) for path in chosen.results]
        title = ", ".join(attribute(results, "name") or results.path.stem for results in found)
        body = "<hr>".join(summarised(chosen.program, found))
        write(chosen.output, page.wrap(title, body, time.strftime("%Y-%m-%d %H:%M")))
    except (results_file.ResultsError, OSError) as reason:
        print(f"report: {reason}", file=sys.stderr)
        return 2 if isinstance(reason, results_file.ResultsError) else 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
