"""Real data from raw files to the table: six feature sets of numerals, at least 95 % test accuracy, and each modality's
contribution beside it."""
# processors: 1
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

PROGRAM, MPIRUN, SOURCE = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"]), Path(os.environ["SOURCE"])
DATA = Path(os.environ.get("EBR_DATA", SOURCE / ".." / "shared" / "data"))
if not DATA.is_dir():
    print(f"skipped: there is no {DATA}; EBR_DATA names the folder of the raw files (doc/datasets.md)")
    sys.exit(77)
Path("results/data").mkdir(parents=True)
Path("sweeps").mkdir()
sweep = (SOURCE / "sweeps/mfeat.yaml").read_text(encoding="utf-8")
assert "count: 10" in sweep
Path("sweeps/mfeat.yaml").write_text(sweep.replace("count: 10", "count: 4"), encoding="utf-8")
subprocess.run([sys.executable, SOURCE / "analysis/convert_mfeat.py", DATA / "mfeat", "-o", "results/data/mfeat.h5"],
               check=True)
subprocess.run(MPIRUN + ["-n", "2", PROGRAM, "run", "-q", "sweeps/mfeat.yaml", "-o", "mfeat.h5", "-s", "method=vanilla"],
               check=True)
table = subprocess.run([PROGRAM, "show", "mfeat.h5", "--json", "--by", "method", "-c", "test_accuracy,contribution.*"],
                       check=True, capture_output=True, text=True)
group, = json.loads(table.stdout)
print(group)
assert group["n"] == 4 and group["test_accuracy"] >= 0.95, group
assert all(isinstance(group[f"contribution.{i}"], float) for i in range(6)), group
# Morphology (3) has six features, and is what the others can replace least; Karhunen-Loeve (2) is a view of the pixels.
assert group["contribution.3"] > group["contribution.2"], group
