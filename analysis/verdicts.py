"""What `ebrsweep claims` says of results, as parts of a page: a summary of all, and a table for each sweep."""
import html
import json
import os
import subprocess
from pathlib import Path

MARKS = {"supported": "✓", "refuted": "✗", "cannot tell": "?"}


class NoProgram(Exception):
    """The program could not be asked; the message says why."""


def usual_program():
    return os.environ.get("EBRSWEEP", str(Path(__file__).resolve().parent.parent / "build/release/ebrsweep"))


def ask(program, paths):
    """One dictionary a claim and group, as `ebrsweep claims --json` gives them."""
    try:
        done = subprocess.run([program, "claims", "--json", *map(str, paths)], capture_output=True, text=True)
    except OSError as reason:
        raise NoProgram(f"{program} does not start ({reason.strerror}); --program names another") from None
    if done.returncode != 0:
        raise NoProgram(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"{program} failed")
    return json.loads(done.stdout)


def escape(value):
    return html.escape(str(value))


def said(verdict):
    """With its mark, so that it is read without colour."""
    return f'<span class="{verdict.split()[0]}">{MARKS[verdict]} {verdict}</span>'


def effect(comparison):
    if not comparison["seeds"]:
        return "–"
    low, high = (f"{value:+.3g}" if value is not None else "?" for value in comparison["interval"])
    return f"{comparison['effect']:+.3g} <span class=half>[{low}, {high}]</span>"


def summary(rows):
    """How many verdicts of each kind, a row a sweep that leads to its part of the page."""
    sweeps = list(dict.fromkeys(row["claim"] for row in rows))
    body = ""
    for sweep in sweeps:
        counts = [sum(row["claim"] == sweep and row["verdict"] == verdict for row in rows) for verdict in MARKS]
        cells = "".join(f"<td>{count}</td>" for count in counts)
        body += f'<tr><th scope=row><a href="#{escape(sweep)}">{escape(sweep)}</a></th>{cells}</tr>'
    head = "".join(f"<th scope=col>{said(verdict)}</th>" for verdict in MARKS)
    return ("<h1>What held</h1><p>Verdicts on the paper’s figures and tables: each statement, on each data set and in each "
            "regime, counts once. Supported: the effect’s 95 % interval leaves out zero on the claimed side, Wilcoxon’s "
            "signed-rank test says so after Holm’s correction for all comparisons of the sweep, and the same holds against "
            "every control. What a control does alone is not credited.</p>"
            f"<div class=scroll tabindex=0><table><thead><tr><th scope=col>claim</th>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>")


def table(rows):
    """Each statement of one sweep: effect, controls, verdict."""
    body = ""
    for row in rows:
        controls = "<br>".join(f"{escape(control['control'])}: {effect(control)}" for control in row["controls"]) or "–"
        cells = (("", "says", f"<b>{escape(row['says'])}</b>"), ("data", "word", escape(row["group"])),
                 ("verdict", "verdict", f"{said(row['verdict'])}: {escape(row['words'])}"),
                 ("seeds", "", row["seeds"] or "–"), ("effect [95 %]", "", effect(row)),
                 ("p", "", format(row["adjusted"], ".2g") if row["seeds"] else "–"),
                 ("beyond the control [95 %]", "controls", controls))
        body += "<tr>" + "".join(f'<td class="{kind}"' + (f' data-name="{name}"' if name else "") + f">{text}</td>"
                                 for name, kind, text in cells) + "</tr>"
    names = ("claim", "data", "verdict", "seeds", "effect [95 %]", "p", "beyond the control [95 %]")
    head = "".join(f"<th scope=col>{name}</th>" for name in names)
    return (f"<div class=scroll tabindex=0><table class=verdicts><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>")
