#!/usr/bin/env python3
"""The report: its numbers against numpy's, what it draws, and what it says when something is missing."""
# processors: 1
import base64
import contextlib
import html.parser
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
from scipy import stats

SOURCE = Path(os.environ["SOURCE"])
sys.path.insert(0, str(SOURCE / "analysis"))
import report as report_program  # noqa: E402

ARMS = [("vanilla", 0.3), ("kd", 0.3), ("ebr", 0.0), ("ebr", 0.3)]
SEEDS, POINTS, VALUES = 5, 4, 12
PARAMETERS = [("method", "S16"), ("seed", "i8"), ("data.source", "S16"), ("data.file", "S64"),
              ("data.modalities", "i8"), ("data.strength.last", "f8"), ("ebr.lambda", "f8")]
POOR = ("contribution", "collapse", "colliding", "train_loss", "fused")
MEASURES = ["test_accuracy", "test_loss", "head.effective_rank", "fused_standardised.effective_rank",
            "colliding_pairs.relative.0.1", "initial.colliding_pairs.relative.0.1"]


def plan():
    for source, m, strength in [("synthetic", 2, 0.5), ("synthetic", 4, 0.5), ("synthetic", 2, 2.0),
                                ("synthetic", 4, 2.0), ("hdf5", 4, np.nan)]:
        for method, value in ARMS:
            for seed in range(SEEDS):
                file = f"data/digits-{m}.h5" if source == "hdf5" else ""
                yield method, seed, source, file, m, strength, value


def write(path, without=(), name="fixture", failed=1, version=1):
    """A results file in the layout of doc/results.md, with made-up numbers."""
    draw = np.random.default_rng(1)
    runs = list(plan())
    kinds = [("id", "u8")] + PARAMETERS + [("status", "S8"), ("reason", "S96"), ("started", "f8"), ("seconds", "f8"),
                                           ("host", "S32"), ("rank", "i4")]
    measures = MEASURES + [f"{kind}.{i}" for kind in ("contribution", "collapse_index") for i in range(4)]
    measures = [measure for measure in measures if not measure.startswith(tuple(without))] if without else measures
    table = np.zeros(len(runs), dtype=kinds + [(measure, "f8") for measure in measures])
    for row, run in enumerate(runs):
        for (parameter, _), value in zip(PARAMETERS, run):
            table[parameter][row] = value
        table["id"][row], table["started"][row], table["seconds"][row] = row + 1, 1.7e9 + row, 0.5
        table["host"][row], table["rank"][row] = b"node", row % 2
        for measure in measures:
            absent = measure[-2:] in (".2", ".3") and run[4] < 4
            table[measure][row] = np.nan if absent else draw.uniform(0.5, 1.5)
    table["status"] = b"done"
    for row in range(failed):
        table["status"][row], table["reason"][row] = b"failed", b"diverged in step 7 of epoch 1: semantic loss inf"
    with h5py.File(path, "w") as file:
        file.attrs.update({"name": name, "question": "Is 1 < 2 & <b>?", "format": version,
                           "sweep": "name: fixture\n\n", "version": "0.1.0", "commit": "c0ffee", "host": "node",
                           "started": "2025-01-02T03:04:05Z", "finished": "2025-01-02T03:05:43Z"})
        file["runs"] = table
        kinds = {parameter: "axis" for parameter, _ in PARAMETERS} | {measure: "measure" for measure in measures}
        file["columns"] = np.array([(column, kinds.get(column, "state"), "", "") for column in table.dtype.names],
                                   dtype=[("name", "S64"), ("kind", "S16"), ("unit", "S16"), ("meaning", "S160")])
        for curve in ("epoch", "train_loss.by_epoch", "test_loss.by_epoch"):
            shape = (len(runs), POINTS)
            values = np.broadcast_to(np.arange(POINTS), shape) if curve == "epoch" else draw.uniform(0.1, 1, shape)
            if not curve.startswith(tuple(without) or ("\0",)):
                file[f"curves/{curve}"] = values.astype(float)
        for spectrum in ("head", "fused"):
            if spectrum in without:
                continue
            values = np.sort(draw.uniform(0.1, 1, (len(runs), POINTS, VALUES)))[..., ::-1]
            file[f"spectra/{spectrum}"] = values
    return table


def report(*arguments):
    """The report without starting another Python: exit code and messages."""
    with contextlib.redirect_stderr(io.StringIO()) as messages:
        code = report_program.main([str(argument) for argument in arguments])
    return subprocess.CompletedProcess(arguments, code, "", messages.getvalue())


class Page(html.parser.HTMLParser):
    """Rows of all tables, images with their alt texts, and whether anything is fetched or run."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.images, self.tags, self.links, self.open = [], [], set(), [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        attributes = dict(attributes)
        self.links += [value for name, value in attributes.items() if name in ("src", "href")]
        if tag == "img":
            self.images.append(attributes)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self.open = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.open = False

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


def check_page():
    table = write("good.h5")
    ended = subprocess.run([sys.executable, SOURCE / "analysis/report.py", "good.h5", "-o", "good.html"],
                           capture_output=True, text=True)
    assert ended.returncode == 0 and ended.stderr == "", ended.stderr
    text = Path("good.html").read_text()
    page = Page(text)
    assert "script" not in page.tags and all(link.startswith("data:image/svg+xml;base64,") for link in page.links)
    assert "Not drawn" not in text and "Is 1 &lt; 2 &amp; &lt;b&gt;?" in text
    assert f"<b>{len(table)}</b><span>runs" in text and "1 × diverged in step 7" in text
    assert "ebrsweep 0.1.0 (c0ffee) · node · 2025-01-02T03:04:05Z to 2025-01-02T03:05:43Z" in text
    panels = [image for image in page.images if image["alt"]]
    # Four figures against m for the two synthetic settings (digits have one m), four for all three, one of collisions.
    assert len(panels) == 4 * 2 + 4 * 3 + 1, len(panels)
    for image in panels:
        picture = base64.b64decode(image["src"].split(",", 1)[1])
        assert picture.startswith(b"<?xml") and picture.rstrip().endswith(b"</svg>")
        assert re.search(r"\d", image["alt"]), image["alt"]
    check_numbers(page, table)
    check_pairs(page, table)


def check_numbers(page, table):
    """One cell of the table by hand: mean and half width of the t interval."""
    some = table[(table["method"] == b"kd") & (table["data.modalities"] == 4) & (table["data.strength.last"] == 2)]
    values = some["test_accuracy"]
    half = stats.sem(values) * stats.t.ppf(0.975, SEEDS - 1)
    start = page.rows.index(["synthetic, last strength 2, m = 4"])
    row = next(row for row in page.rows[start:] if row[0] == "kd")
    assert row[1:3] == [str(SEEDS), f"{values.mean():.3f} ± {half:.3f}"], row
    last = some["contribution.3"]
    assert row[4].startswith(f"{last.mean():.3f} ±"), row


def check_pairs(page, table):
    """ebr against vanilla: the failed run (vanilla's first) leaves its pair out."""
    arms = {arm: table[(table["method"] == arm) & (table["ebr.lambda"] == 0.3)] for arm in (b"vanilla", b"ebr")}
    keep = arms[b"vanilla"]["status"] == b"done"
    difference = (arms[b"ebr"]["test_accuracy"] - arms[b"vanilla"]["test_accuracy"])[keep]
    row = next(row for row in page.rows if row[0] == "ebr, λ = 0.3")
    assert row[1] == str(5 * SEEDS - 1) and row[2].startswith(f"{difference.mean():+.3f} ±"), row


def check_missing():
    write("poor.h5", without=POOR)
    ended = report("poor.h5", "-o", "poor.html")
    assert ended.returncode == 0, ended.stderr
    text = Path("poor.html").read_text()
    for name in ("contribution.0", "collapse_index.0", "colliding_pairs", "train_loss.by_epoch", "fused_standardised"):
        assert re.search(r"Not drawn: the results have no (values of|curve) " + re.escape(name), text), name


def check_many():
    write("one.h5", name="first", without=POOR + ("head",))
    write("two.h5", name="second", failed=0, without=POOR + ("head",))
    ended = report("one.h5", "two.h5", "-o", "both.html")
    assert ended.returncode == 0, ended.stderr
    text = Path("both.html").read_text()
    assert "<h1>first</h1>" in text and "<h1>second</h1>" in text


def check_bad():
    Path("text.h5").write_text("no HDF5")
    with h5py.File("other.h5", "w") as file:
        file["matrix"] = np.eye(2)
    write("new.h5", version=99)
    for path, code, sentence in (("none.h5", 2, "there is no such file"), ("text.h5", 2, "cannot be read as HDF5"),
                                 ("other.h5", 2, "it has no table /runs"), ("new.h5", 2, "newer than the")):
        ended = report(path, "-o", "bad.html")
        assert ended.returncode == code and sentence in ended.stderr and "Traceback" not in ended.stderr, ended.stderr
        assert not Path("bad.html").exists()
    ended = report("good.h5", "-o", "no/folder/page.html")
    assert ended.returncode == 3 and "no/folder" in ended.stderr and "Traceback" not in ended.stderr, ended.stderr


def check_unfinished():
    table = write("waiting.h5", failed=0)
    with h5py.File("waiting.h5", "r+") as file:
        table["status"] = b"waiting"
        file["runs"][...] = table
    ended = report("waiting.h5", "-o", "waiting.html")
    assert ended.returncode == 0 and "No run has ended yet" in Path("waiting.html").read_text(), ended.stderr


for check in (check_page, check_missing, check_many, check_bad, check_unfinished):
    check()
