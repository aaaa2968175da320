#!/usr/bin/env python3
"""The map of where EBR wins: pairs against numpy's, a planted effect that must be found, the sweep that confirms, verdicts."""
# processors: 1
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
from scipy import stats

PROGRAM, MPIRUN, SOURCE = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"]), Path(os.environ["SOURCE"])
sys.path.insert(0, str(SOURCE / "analysis"))
import confirm  # noqa: E402
import pairs  # noqa: E402
import results  # noqa: E402

ANALYSIS = SOURCE / "analysis"


def ask(script, *arguments, code=0):
    done = subprocess.run([sys.executable, ANALYSIS / script, *arguments], capture_output=True, text=True)
    assert done.returncode == code, (arguments, done)
    return done.stdout if code == 0 else done.stderr.strip()


def train(sweep, into):
    subprocess.run(MPIRUN + ["-n", "1", PROGRAM, "run", "-q", sweep, "-o", into], check=True)


def plant(path, value):
    """Writes value(row) over every run's accuracy."""
    with h5py.File(path, "r+") as file:
        table = file["runs"][...]
        table["test_accuracy"] = [value(row) for row in table]
        file["runs"][...] = table


# The sweep itself, with fewer points and hardly any training. The plan of the whole is within its budget.
text = (SOURCE / "sweeps/where-ebr-wins.yaml").read_text(encoding="utf-8")
Path("sweeps").mkdir()
small = text.replace("count: 2000", "count: 150").replace("count: 5}", "count: 2}").replace("epochs: 30", "epochs: 1")
small = small.replace("test: 512", "test: 64").replace("[64, 1024]", "[64, 128]")
Path("sweeps/map.yaml").write_text(small, encoding="utf-8")
train("sweeps/map.yaml", "map.h5")

# Arms are paired within a point: the mean effect is the difference of arms' means, since no run is missing.
with h5py.File("map.h5") as file:
    table = file["runs"][...]
off, real = table["ebr.lambda"] == 0, table["method"] == b"kd+ebr"
means = {"ebr": table["test_accuracy"][real & ~off].mean(), "lambda = 0": table["test_accuracy"][real & off].mean(),
         **{name.decode(): table["test_accuracy"][table["method"] == name].mean() for name in (b"kd", b"vanilla")}}
points, outcomes = pairs.effects(results.read("map.h5"), "test_accuracy")
for control in ("vanilla", "lambda = 0", "kd"):
    assert outcomes[control].shape == (150, 2), outcomes[control].shape
    assert abs(outcomes[control].mean() - (means["ebr"] - means[control])) < 1e-12, (control, means)

# A planted effect: ebr gains 0.1 by being residual, nothing else matters, and seeds blur it.
random = np.random.default_rng(1)
plant("map.h5", lambda row: 0.5 + 0.001 * random.standard_normal() +
      0.1 * (row["method"] == b"kd+ebr" and row["ebr.lambda"] > 0 and bool(row["ebr.residual"])))
found = json.loads(ask("sensitivity.py", "map.h5", "--json", "--measure", "test_accuracy"))["test_accuracy"]
for one in found.values():
    total = {own["name"]: own["total"]["value"] for own in one["conditions"]}
    assert abs(total.pop("ebr.residual") - 1) < 0.02 and max(total.values()) < 0.02, one
    assert one["r2"] > 0.99 and one["share_of_seeds"] < 0.01 and abs(one["mean"] - 0.05) < 0.01, one
said = ask("sensitivity.py", "map.h5", "--measure", "test_accuracy", "--figure", "map.png", "--confirm", "sweeps/confirm.yaml")
assert "| ebr.residual | 1.00 [" in said and "150 points, 2 seeds; 1200 runs done." in said, said
assert Path("map.png").read_bytes().startswith(b"\x89PNG")

# The sweep that confirms has the five best points, all of them residual, on seeds that did not choose them.
sweep = Path("sweeps/confirm.yaml").read_text(encoding="utf-8")
assert "seed: {from: 2, count: 20}" in sweep and max(map(len, sweep.splitlines())) <= 120
assert "ebr.residual: [true, true, true, true," in sweep and "false" not in sweep[sweep.index("ebr.residual"):].split("]")[0]
synthetic = sweep.replace("[synthetic, hdf5]", "[synthetic]").replace('["", ../results/data/mfeat.h5]', '[""]')
synthetic = synthetic.replace("[3, 6]", "[3]").replace("[2048, 0]", "[64]").replace("epochs: 30", "epochs: 1")
Path("sweeps/confirm.yaml").write_text(synthetic, encoding="utf-8")
train("sweeps/confirm.yaml", "confirm.h5")
with h5py.File("confirm.h5") as file:
    table = file["runs"][...]
assert len(table) == 5 * 4 * 20
rows = json.loads(ask("confirm.py", "confirm.h5", "--json"))
assert [row["point"] for row in rows] == [1, 2, 3, 4, 5] and all(row["comparisons"]["kd"]["seeds"] == 20 for row in rows)


def verdicts(gain, over, blur):
    """ebr gains over vanilla; its control has `over` less than it."""
    draw = np.random.default_rng(2)
    levels = {b"vanilla": 0.5, b"kd": 0.5}

    def value(row):
        level = levels.get(row["method"], 0.5 + gain - (over if row["ebr.lambda"] == 0 else 0))
        return level + blur * draw.standard_normal()

    plant("confirm.h5", value)
    return {row["verdict"] for row in json.loads(ask("confirm.py", "confirm.h5", "--json"))}


assert verdicts(0.1, 0.05, 0.001) == {"supported: ebr is better than every control"}
assert verdicts(0.1, 0.0, 0.001) == {"refuted: against lambda = 0 ebr is better by less than 0.005"}
assert verdicts(-0.1, 0.0, 0.001) == {"refuted: against vanilla ebr is worse"}
assert any(said.startswith("cannot tell: against ") for said in verdicts(0.02, 0.02, 0.1))
assert "| synthetic | 1 | 20 | " in ask("confirm.py", "confirm.h5")

# Wilcoxon against scipy's where that is exact, ties and zeros by hand: of +-1, +-1, +-2 one in eight sums up to all.
values = np.random.default_rng(3).standard_normal(20) + 0.3
assert abs(confirm.wilcoxon(values) - stats.wilcoxon(values, mode="exact").pvalue) < 1e-12
assert confirm.wilcoxon(np.array([1.0, 1.0, 0.0, 2.0])) == 0.25 and confirm.wilcoxon(np.zeros(3)) == 1.0
assert confirm.wilcoxon(np.array([-1.0, 1.0, 2.0])) == 0.75  # rank sums up to 1.5 are those of none or one of the ones

# Holm's correction by hand, and a comparison with too few pairs.
assert np.allclose(confirm.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
few = confirm.compare(np.array([0.1, np.nan]), 1, np.random.default_rng(0))
assert few["seeds"] == 1 and confirm.verdict({"kd": few}, 0.005) == "cannot tell: a control has fewer than two pairs"

# What cannot be judged.
assert ask("sensitivity.py", "nothing.h5", code=2) == "sensitivity: nothing.h5: there is no such file"
assert ask("sensitivity.py", "map.h5", "--measure", "speed", code=2) == "sensitivity: the results have no values of speed"
assert ask("confirm.py", "map.h5", "--measure", "speed", code=2) == "confirm: the results have no values of speed"
assert "5 points have all arms at two seeds or more: sensitivity needs 50" in ask("sensitivity.py", "confirm.h5", code=2)
HEAD = "name: t\nbase: {data: {modalities: 2, train: 64, test: 64}, train: {epochs: 0, batch: 32}}\naxes:\n"
for name, axes, message in (
        ("alone", "  method: [ebr]\n  seed: [0, 1]\n",
         "ebr has nothing to be compared with: vanilla, lambda = 0, kd are all missing"),
        ("none", "  method: [vanilla]\n  seed: [0, 1]\n", "there are no runs of ebr with a lambda above 0"),
        ("twice", "  method: [ebr]\n  ebr.lambda: [0.1, 0.2]\n  seed: [0]\n",
         "two runs of arm ebr share seed 0 and all of nothing: which belongs to which control cannot be told")):
    Path(f"{name}.yaml").write_text(HEAD + axes, encoding="utf-8")
    train(f"{name}.yaml", f"{name}.h5")
    for script in ("sensitivity.py", "confirm.py"):
        assert message in ask(script, f"{name}.h5", "--measure", "test_accuracy", code=2), name
