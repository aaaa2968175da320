"""The reference pages name what a results file has: every attribute, column, curve and spectrum, and nothing else."""
# processors: 1
import os
import re
import subprocess
from pathlib import Path

import h5py

PROGRAM, DOC = os.environ["EBRSWEEP"], Path(os.environ["SOURCE"]) / "doc"
SWEEP = """
name: all
base:
  data: {modalities: 3, classes: 3, predictive: 2, noise: 1, train: 128, test: 64}
  model: {encoder: [8, 4], width: 8}
  train: {epochs: 2, batch: 64}
  auxiliary: {weight: 1}
  allocation: {trials: 10}
axes:
  method: [vanilla, unimodal, kd+ebr]
measure:
  {every: 1, missing: [0.3, 0.5], missing_count: [1, 2], autoencoder: 8, bootstrap: 100, probe: true,
   spectra: [head, fused, latent, updates, weights],
   collisions: {also: [influence, sensitivity], relative: [0.1, 0.2], absolute: [0.1, 0.2], neuron: [0.1, 0.2]}}
"""
# What stands for what in the names of doc/measures.md.
STANDS_FOR = [(r"\bS\b", r"(head|fused|fused_standardised|latent[.]\\d|updates)"), (r"\bK\b", "(relative|absolute|neuron)"),
              (r"\bFILLING\b", "(zero|mean|drop|substitute|retrieve|autoencoder)"), (r"\b[ij]\b", r"\\d"),
              (r"\[.\]T$", r"([.]0[.]\\d)?"),
              (r"\bR\b", r"0[.]\\d"), (r"\bN\b", r"\\d"), (r"\bNAME\b", "(pairs|shared|occupancy)"), (r"\[.\]$", "[.].*")]


def first_cells(page, heading):
    """The first cells of the tables under the heading, as lists of the names in backquotes."""
    text = (DOC / page).read_text(encoding="utf-8")
    part = text[text.index(heading):] if heading else text
    for line in part.splitlines():
        if line.startswith("| `"):
            yield re.findall(r"`([^`]+)`", line.replace("\\|", "/").split(" | ")[0])


def names_in(cell):
    """`auc_roc.low`, `.high` are auc_roc.low and auc_roc.high; what ends in .by_epoch counts as that without."""
    found = []
    for name in cell:
        if name in (".by_epoch", ".by_threshold"):
            continue
        if name.startswith("."):
            name = found[-1].rsplit(".", 1)[0] + name
        found.append(re.sub(r"[.]by_(epoch|threshold)$", "", name))
    return found


def pattern(name):
    expression = name.replace(".", "[.]")
    for letter, meaning in STANDS_FOR:
        expression = re.sub(letter, meaning, expression)
    return re.compile(expression)


def differ(what, documented, found):
    documented, found = set(documented), set(found)
    assert documented == found, f"{what}: not documented {sorted(found - documented)}, not there {sorted(documented - found)}"


def results_page(file):
    tables = [cell for cell in first_cells("results.md", "## Root attributes")]
    attributes = [name for cell in tables[:next(k for k, cell in enumerate(tables) if cell == ["/runs"])] for name in cell]
    differ("doc/results.md, root attributes", attributes, file.attrs)
    differ("doc/results.md, datasets", {name.split("/")[1] for cell in tables for name in cell if name.startswith("/")}, file)
    start = next(k for k, cell in enumerate(tables) if cell == ["id"])
    states = [row["name"].decode() for row in file["columns"][:] if row["kind"] == b"state"]
    differ("doc/results.md, columns", [name for cell in tables[start:] for name in cell], states)


def measures_page(file):
    columns = {row["name"].decode() for row in file["columns"][:] if row["kind"] == b"measure"}
    found = columns | set(file["curves"])
    plain = {re.sub(r"^initial[.]|[.]by_(epoch|threshold)$", "", name) for name in found}
    documented = [name for cell in first_cells("measures.md", None) for name in names_in(cell) if not name.startswith("/")]
    patterns = {name: pattern(name) for name in documented}
    unknown = sorted(name for name in plain if not any(p.fullmatch(name) for p in patterns.values()))
    assert not unknown, f"doc/measures.md does not name {unknown}"
    gone = sorted(name for name, p in patterns.items() if not any(map(p.fullmatch, plain)))
    assert not gone, f"doc/measures.md names {gone}, and no run has them"
    spectra = [pattern("S"), re.compile("head_weights")]
    assert all(any(p.fullmatch(name) for p in spectra) for name in file["spectra"]), list(file["spectra"])
    assert "head_weights" in (DOC / "measures.md").read_text(encoding="utf-8")
    assert len(plain) > 100 and len(patterns) > 40, (len(plain), len(patterns))


Path("all.yaml").write_text(SWEEP, encoding="utf-8")
subprocess.run([PROGRAM, "run", "-q", "all.yaml", "-o", "all.h5"], check=True)
with h5py.File("all.h5") as results:
    assert all(status == b"done" for status in results["runs"]["status"])
    results_page(results)
    measures_page(results)
