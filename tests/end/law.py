"""law as a user calls it: numbers against numpy, the same text on any number of ranks, and what cannot be judged is said."""
# processors: 1
# timeout: 180
import json
import os
import shlex
import subprocess

import numpy as np

PROGRAM, MPIRUN = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"])
SWEEP = """
name: small
base:
  data: {source: synthetic, classes: 4, predictive: 3, noise: 3, train: 128, test: 128}
  model: {encoder: [16, 8], width: 32}
  train: {epochs: 2, batch: 32, optimizer: sgd}
axes:
  data.modalities: [2, 3, 4, 5]
  method: [vanilla, ebr]
  train.rate: [1e-3, 1000]
  seed: {from: 0, count: 3}
measure:
  every: 0
  spectra: [head]
  collisions: {relative: [0.05, 0.1, 0.2], absolute: [0.05, 0.1, 0.2], also: [influence, sensitivity]}
"""
MEASURE = "colliding_pairs.relative.0.1"


def call(*arguments, code=0, ranks=None):
    start = MPIRUN + ["-n", str(ranks)] if ranks else []
    done = subprocess.run(start + [PROGRAM, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done
    return done


def refused(code, words, *arguments):
    done = call("law", *arguments, code=code)
    assert done.stdout == "" and words in done.stderr and done.stderr.count("\n") == 1, done


def judges():
    done = call("law", "small.h5", "--json", "--resamples", "200", "--measure", MEASURE)
    assert "24 of 48 runs are missing or failed, and left out" in done.stderr, done.stderr
    groups = json.loads(done.stdout)
    assert len(groups) == 2 and {group["group"]["method"] for group in groups} == {"vanilla", "ebr"}, groups
    for ranks in 2, 4:
        assert call("law", "small.h5", "--json", "--resamples", "200", ranks=ranks).stdout == done.stdout
    return groups


def agrees_with_numpy(group):
    method = group["group"]["method"]
    rows = json.loads(call("show", "small.h5", "--json", "-w", f"method=={method} && status==done").stdout)
    counts = np.array([[row[MEASURE] for row in rows if row["data.modalities"] == m] for m in (2, 3, 4, 5)])
    untrained = np.array([[row["initial." + MEASURE] for row in rows if row["data.modalities"] == m] for m in (2, 3, 4, 5)])
    occupancy = np.array([[row["feature_occupancy.relative.0.1"] for row in rows if row["data.modalities"] == m]
                          for m in (2, 3, 4, 5)])
    pairs = np.array([1, 3, 6, 10])
    means, errors = counts.mean(1), counts.std(1, ddof=1) / np.sqrt(3)
    errors = np.maximum(errors, 1e-6 * means.max())
    null = (32 * 9 * pairs[:, None] * occupancy ** 2).mean(1)
    for k, point in enumerate(group["points"]):
        assert point["m"] == k + 2 and point["seeds"] == 3, point
        assert np.isclose(point["mean"], means[k], rtol=1e-12) and np.isclose(point["untrained"], untrained[k].mean()), point
        assert np.isclose(point["observed_over_null"], means[k] / null[k], rtol=1e-9), (point, null[k])
    contributions = np.array([[np.mean([row[f"contribution.{k}"] for k in range(m)]) for row in rows
                               if row["data.modalities"] == m] for m in (2, 3, 4, 5)])
    x = (counts / means[:, None] - 1).ravel()
    y = (contributions - contributions.mean(1, keepdims=True)).ravel()
    slope = group["contribution_slope"]
    assert np.isclose(slope["slope"], np.polyfit(x, y, 1)[0], rtol=1e-9) and slope["runs"] == 12, slope
    assert np.isclose(slope["correlation"], np.corrcoef(x, y)[0, 1]), slope
    assert slope["interval"][0] <= slope["slope"] <= slope["interval"][1], slope
    local = np.diff(np.log(means)) / np.diff(np.log(pairs))
    assert np.allclose([point["local_gamma"] for point in group["points"][:-1]], local)
    quadratic = group["forms"]["quadratic"]
    exact = (pairs * means / errors ** 2).sum() / (pairs ** 2 / errors ** 2).sum()
    assert np.isclose(quadratic["parameters"]["c"], exact, rtol=1e-6), (quadratic, exact)
    assert np.isclose(quadratic["squares"], (((exact * pairs - means) / errors) ** 2).sum(), rtol=1e-6)
    for name, form in group["forms"].items():
        assert len(form["residuals"]) == 4 and np.isclose(np.square(form["residuals"]).sum(), form["squares"], rtol=1e-6), name
    assert np.allclose(quadratic["residuals"], (means - exact * pairs) / errors, rtol=1e-5, atol=1e-6), quadratic
    weight = (means / errors) ** 2  # of a logarithm; exact enough to tell one alpha from another
    alpha = np.polyfit(np.log([2, 3, 4, 5]), np.log(pairs), 1, w=np.sqrt(weight))[0]
    assert abs(group["alpha"]["of_quadratic"] - alpha) < 0.15, (group["alpha"], alpha)
    assert group["alpha"]["misleads"] == (group["alpha"]["verdict_against_2"] != group["verdict"]), group
    assert np.isclose(sum(form["aicc_weight"] for form in group["forms"].values()), 1)
    assert group["model"] in group["forms"] and group["parameters"] == group["forms"][group["model"]]["parameters"]
    assert group["interval"] == group["forms"][group["model"]]["interval"]
    assert group["words"].startswith(group["verdict"]), group


def counts_other_things():
    """Collisions with noise, and those of the other encodings: the middle threshold if none is said; the null by numpy."""
    rows = json.loads(call("show", "small.h5", "--json", "-w", "method==vanilla && status==done").stdout)
    for way in "", "influence.", "sensitivity.":
        for quantity, other, half in ("predictive_noise_pairs", "noise", 1), ("colliding_pairs", "feature", 0.5):
            name = way + quantity
            done = call("law", "small.h5", "--json", "--resamples", "20", "-m", name, "-w", "method==vanilla")
            group, = json.loads(done.stdout)
            assert group["measure"] == f"{name}.relative.0.1", group["measure"]
            for point in group["points"]:
                m = int(point["m"])
                mine = [row for row in rows if row["data.modalities"] == m]
                null = [32 * half * 9 * m * (m - 1) * row[f"{way}feature_occupancy.relative.0.1"] *
                        row[f"{way}{other}_occupancy.relative.0.1"] for row in mine]
                assert np.isclose(point["mean"], np.mean([row[f"{name}.relative.0.1"] for row in mine])), (name, point)
                assert np.isclose(point["mean"] / np.mean(null), point["observed_over_null"], rtol=1e-9), (name, point)
                assert np.isclose(point["untrained"], np.mean([row[f"initial.{name}.relative.0.1"] for row in mine])), name


def is_read():
    text = call("law", "small.h5", "--resamples", "20").stdout
    assert text.startswith(f"small.h5: {MEASURE} against the number of modalities m\n"), text
    for words in "method vanilla", "gamma to the next", "when collisions double, m held: ", "residuals are those of ":
        assert words in text, (words, text)
    table = call("law", "small.h5", "--resamples", "20", "--markdown").stdout.splitlines()
    assert len(table) == 4 and all(line.count("|") == 7 for line in table), table
    one = json.loads(call("law", "small.h5", "--json", "--resamples", "20", "--by", "train.rate").stdout)
    assert len(one) == 1 and one[0]["points"][0]["seeds"] == 6, one


def says_what_it_cannot_tell():
    def verdict(where):
        group, = json.loads(call("law", "small.h5", "--json", "--where", f"method==ebr && {where}").stdout)
        assert group["verdict"] == "cannot tell" and group["model"] is None and group["interval"] == {}, group
        return group["words"]

    assert verdict("data.modalities<4") == "cannot tell: 2 numbers of modalities; at least three are needed, better seven"
    assert verdict("seed==1").startswith("cannot tell: one seed at some m")


def refuses():
    refused(2, "which results file?")
    refused(2, "there is no option '--jsno'", "small.h5", "--jsno")
    refused(2, "option '--measure' needs a value", "small.h5", "--measure")
    refused(2, "--resamples wants a whole number from 20 to 1000000, not '5'", "small.h5", "--resamples", "5")
    refused(2, "there is no column 'colliding_pairs.relative.0.3', did you mean '", "small.h5", "-m",
            "colliding_pairs.relative.0.3")
    refused(2, "'method' is text and counts nothing", "small.h5", "-m", "method")
    refused(2, "no run is done that has two modalities or more", "small.h5", "-w", "train.rate>1")


with open("small.yaml", "w", encoding="utf-8") as sweep:
    sweep.write(SWEEP)
call("run", "-q", "small.yaml", code=1, ranks=2)
for each in judges():
    agrees_with_numpy(each)
counts_other_things()
is_read()
says_what_it_cannot_tell()
refuses()
