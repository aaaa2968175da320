"""Random allocations as ordinary runs: law finds them where the exact expectations are, and notices another law."""
import json
import os
import shlex
import subprocess
from pathlib import Path

import numpy as np

PROGRAM, MPIRUN, SOURCE = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"]), Path(os.environ["SOURCE"])
MODALITIES = 2, 3, 4, 5, 6, 8, 10
sweep = (SOURCE / "sweeps/allocation.yaml").read_text(encoding="utf-8")
assert "seed: {from: 0, count: 10}" in sweep
Path("allocation.yaml").write_text(sweep.replace("count: 10", "count: 4"), encoding="utf-8")


def call(*arguments, ranks=None, code=0):
    start = MPIRUN + ["-n", str(ranks)] if ranks else []
    limit = 100 * int(os.environ["PATIENCE"])
    done = subprocess.run(start + [PROGRAM, *arguments], capture_output=True, text=True, timeout=limit)
    assert done.returncode == code, done
    return done


def law(results, measure):
    return json.loads(call("law", results, "--json", "--resamples", "200", "--measure", f"allocation.{measure}").stdout)


def exact(m, n, features):
    """By the definitions, in another order than the program's."""
    k = np.array([features[min(i, len(features) - 1)] for i in range(m)])
    pairs = sum(k[i] * k[j] for i in range(m) for j in range(i)) / n
    a = 1 - (1 - 1 / n) ** k
    one = sum(a[i] * np.prod(np.delete(1 - a, i)) for i in range(m))
    return {"pairs": pairs, "shared": 1 - np.prod(1 - a) - one, "occupancy": a.mean()}


call("run", "-q", "allocation.yaml", "-o", "drawn.h5", ranks=2)
call("run", "-q", "allocation.yaml", "-o", "alone.h5")
rows = call("show", "drawn.h5", "--csv", "--columns", "seed,model.width,data.modalities,allocation.pairs").stdout
assert rows == call("show", "alone.h5", "--csv", "--columns", "seed,model.width,data.modalities,allocation.pairs").stdout
for measure in "pairs", "shared", "occupancy":
    groups = law("drawn.h5", measure)
    assert len(groups) == 12, len(groups)
    for group in groups:
        assert group["exact"]["agrees"] and 0 <= group["exact"]["worst_deviation"] <= 4, group
        n, features = group["group"]["model.width"], group["group"]["allocation.features"]
        features = json.loads(features) if isinstance(features, str) else features
        assert [point["m"] for point in group["points"]] == list(MODALITIES), group
        for point in group["points"]:
            expected = exact(int(point["m"]), n, features)[measure]
            assert np.isclose(point["mean"] / point["observed_over_null"], expected, rtol=1e-9), (point, expected)
        if measure == "pairs" and len(features) == 1:
            assert group["verdict"] != "refuted", group
            assert n > 64 or abs(group["forms"]["pairs-power"]["parameters"]["gamma"] - 1) < 0.03, group
text = call("law", "drawn.h5", "--resamples", "20").stdout
assert text.startswith("drawn.h5: allocation.pairs against") and "exact expectation: agrees" in text, text
assert "model.width 64, allocation.features [8, 2, 1]" in text, text

# The control: modalities drawn with replacement. Neither the expectations nor the quadratic form may pass.
call("run", "-q", "allocation.yaml", "-o", "replaced.h5", "-s", "allocation.modality=drawn", ranks=2)
groups = {(g["group"]["model.width"], str(g["group"]["allocation.features"])): g for g in law("replaced.h5", "pairs")}
for features in "[1]", "[4]":
    for n in 16, 64, 256:
        exact_law = groups[n, features]["exact"]
        assert not exact_law["agrees"] and exact_law["worst_deviation"] > 4, (n, features, exact_law)
for n in 16, 64:  # c (m-1)(m-1) in place of c m(m-1)
    assert groups[n, "[1]"]["verdict"] == "refuted" and "faster" in groups[n, "[1]"]["words"], groups[n, "[1]"]
assert "DISAGREES" in call("law", "replaced.h5", "--resamples", "20").stdout

(Path("one.yaml")).write_text(sweep.replace("trials: 10000", "trials: 1"), encoding="utf-8")
assert "allocation.trials 1 leaves the standard error open" in call("plan", "one.yaml", code=2).stderr
