"""The page and the files about the paper's claims: verdicts first, each figure drawn with its numbers in words, PDFs."""
# timeout: 180
# processors: 1
import html
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

SOURCE, PROGRAM = Path(os.environ["SOURCE"]), os.environ["EBRSWEEP"]
sys.path.insert(0, str(SOURCE / "analysis"))
import claim_figures  # noqa: E402
import results as results_file  # noqa: E402
import verdicts  # noqa: E402

BY_DATA = ("data.", "model.convolution", "measure.missing_count")


def small(name):
    """The sweep as it is shipped, on synthetic data alone (or on a made-up mfeat), with two seeds and two epochs."""
    text = (SOURCE / f"sweeps/{name}.yaml").read_text(encoding="utf-8")
    text = text.replace("count: 20", "count: 2").replace("train: 512, test: 512", "train: 64, test: 64")
    text = re.sub(r"epochs: \d+", "epochs: 2", text)
    text = text.replace("file: ../results/data/mfeat.h5}", "file: mfeat.h5, train: 64, test: 32}")
    synthetic = text.count("synthetic,") if "data.source: [" in text else 0
    kept = []
    for line in text.splitlines():
        name_of, _, values = line.partition(": [")
        if synthetic and name_of.strip(" -").startswith(BY_DATA) and "{" not in line and "sources" not in line:
            parts = re.findall(r"\[[^\]]*\]|[^,\[\]]+", values[:-1])
            parts = [part.strip() for part in parts if part.strip()][:synthetic]
            if name_of.strip(" -") in ("data.train", "data.test"):
                parts = ["64"] * synthetic
            line = f"{name_of}: [{', '.join(parts)}]"
        kept.append(line)
    Path(f"{name}.yaml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    subprocess.run([PROGRAM, "run", "-q", f"{name}.yaml", "-o", f"{name}.h5"], check=True, timeout=100)


def write_mfeat():
    """Its six modalities, with numbers that mean nothing."""
    draw = np.random.default_rng(1)
    with h5py.File("mfeat.h5", "w") as file:
        file["label"] = np.arange(160, dtype="i4") % 4
        for name in ("fac", "fou", "kar", "mor", "pix", "zer"):
            file[f"modality/{name}"] = draw.normal(size=(160, 5)).astype("f4")


def python(program, *arguments, code=0):
    done = subprocess.run([sys.executable, SOURCE / "analysis" / program, *map(str, arguments)], capture_output=True,
                          text=True, timeout=100)
    assert done.returncode == code, done
    return done


def page():
    files = [f"{name}.h5" for name in claim_figures.OF_SWEEP]
    python("report.py", *files, "-o", "page.html")
    text = Path("page.html").read_text(encoding="utf-8")
    assert text.index("What held") < text.index("<h1 id="), "verdicts come first"
    assert "Not drawn" not in text and "No verdicts" not in text and "<script" not in text
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text), "the page needs the network"
    for name, figures in claim_figures.OF_SWEEP.items():
        assert f'<h1 id="{name}">' in text and f'href="#{name}"' in text, name
        assert all(html.escape(title) in text for title, _, _ in figures), name
    alts = re.findall(r'alt="([^"]+)"', text)
    assert len(alts) >= 15 and all(re.search(r"\d", alt) for alt in alts), alts
    rows = verdicts.ask(PROGRAM, files)
    summary = subprocess.run([PROGRAM, "claims", *files, "--summary"], capture_output=True, text=True, check=True).stdout
    columns = zip(*[line.strip("| ").split(" | ") for line in summary.splitlines()])
    summary = {name: counts for name, _, *counts in columns}
    for name in claim_figures.OF_SWEEP:
        own = [row["verdict"] for row in rows if row["claim"] == name]
        counts = [own.count(verdict) for verdict in ("supported", "refuted", "cannot tell")]
        assert summary[name] == [str(count) for count in counts], (name, counts, summary)
        cells = "".join(f"<td>{count}</td>" for count in counts)
        assert f'{name}</a></th>{cells}' in text, (name, counts)
    assert "run -q -o figure-7-noise.h5 figure-7-noise.yaml</code>" in text, "the exact command"
    told = next(alt for alt in alts if alt.startswith("test accuracy; synthetic. vanilla "))
    runs = results_file.read("order-of-distillation.h5").done
    mean = runs[runs["method"] == "vanilla"]["test_accuracy"].mean()
    assert f"vanilla {mean:.3g} ±" in told, (told, mean)


def files():
    done = python("figures.py", "figure-5-strength.h5", "figure-6-convergence.h5", "--format", "pdf", "-o", "drawn")
    written = done.stdout.split()
    assert len(written) == 3 and all(Path(path).read_bytes().startswith(b"%PDF") for path in written), written
    done = python("figures.py", "none.h5", code=2)
    assert "none.h5: there is no such file" in done.stderr, done
    Path("file").write_text("")
    assert "figures: " in python("figures.py", "figure-5-strength.h5", "-o", "file/folder", code=3).stderr


def without_a_program():
    python("report.py", "figure-5-strength.h5", "-o", "alone.html", "--program", "/no/ebrsweep")
    assert "No verdicts: /no/ebrsweep does not start" in Path("alone.html").read_text(encoding="utf-8")


write_mfeat()
for sweep in claim_figures.OF_SWEEP:
    small(sweep)
page()
files()
without_a_program()
