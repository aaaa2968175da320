"""claims as a user calls it: made-up results in which each kind of claim holds, fails, or cannot be told; its numbers against
numpy, scipy and statsmodels."""
# timeout: 180
# processors: 1
import ctypes
import json
import os
import shutil
import subprocess

import h5py
import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

PROGRAM = os.environ["EBRSWEEP"]
SEEDS = 12
SWEEP = """
name: NAME
base:
  data: {source: synthetic, modalities: 2, classes: 2, predictive: 2, noise: 2, train: 32, test: 32}
  model: {encoder: [4, 4], width: 8}
  train: {epochs: 0, batch: 16}
axes:
AXES
  seed: {from: 0, count: SEEDS}
measure: {every: 0, unimodal: false, MEASURE}
"""
ARMS = """  method: [vanilla, kd, ebr]
  ebr.lambda: {when: {method: ebr}, values: LAMBDAS}
  ebr.residual: {when: {method: ebr}, values: [false, true]}
  ebr.form: {when: {method: ebr, ebr.lambda: 0.3, ebr.residual: true}, values: [reversal, confusion]}
  auxiliary.weight: {when: {method: vanilla}, values: [0, 1]}
"""
XXHASH = ctypes.CDLL("libxxhash.so.0").XXH3_64bits_withSeed
XXHASH.restype, XXHASH.argtypes = ctypes.c_uint64, [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
DRAW = np.random.default_rng(7)


def call(*arguments, code=0):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done
    return done


def claims(*arguments):
    return json.loads(call("claims", *arguments, "--json").stdout)


def made(path, name, axes=ARMS, measure="spectra: [head]", seeds=SEEDS, lambdas="[0, 0.3]"):
    """A results file as the program writes it; edit() then puts numbers into it."""
    text = SWEEP.replace("NAME", name).replace("AXES", axes).replace("SEEDS", str(seeds)).replace("MEASURE", measure)
    with open(path + ".yaml", "w", encoding="utf-8") as sweep:
        sweep.write(text.replace("LAMBDAS", lambdas))
    call("run", "-q", path + ".yaml", "-o", path)
    with h5py.File(path) as file:
        table = file["runs"][...]
    assert (table["status"] == b"done").all() and (sealed(table)["checksum"] == table["checksum"]).all()
    return table


def sealed(table):
    """With checksums as store/row.c makes them."""
    start = table.dtype.fields["checksum"][1]
    for row in range(len(table)):
        raw = table[row].tobytes()
        before, after = raw[:start], raw[start + 8:]
        table["checksum"][row] = XXHASH(after, len(after), XXHASH(before, len(before), 0))
    return table


def save(path, table):
    with h5py.File(path, "r+") as file:
        file["runs"][...] = sealed(table)


def where(table, method, value=None, residual=False, auxiliary=0, form=b"reversal"):
    chosen = (table["method"] == method.encode()) & (table["auxiliary.weight"] == auxiliary)
    chosen &= (table["ebr.form"] == form) | (table["method"] == b"vanilla") | (table["method"] == b"kd")
    if value is not None:
        chosen &= (table["ebr.lambda"] == value) & (table["ebr.residual"].astype(bool) == residual)
    return chosen


PLACES = {"vanilla": ("vanilla",), "kd": ("kd",), "aux": ("vanilla", None, False, 1), "ebr": ("ebr", 0.3),
          "ebr0": ("ebr", 0), "res": ("ebr", 0.3, True), "res0": ("ebr", 0, True),
          "confusion": ("ebr", 0.3, True, 0, b"confusion")}


def lay(path, table, measure="test_loss", noise=0.02, **means):
    """Sets each arm's values: mean + noise, one a run. Answers them by seed."""
    values = {}
    for arm, mean in means.items():
        rows = where(table, *PLACES[arm])
        table[measure][rows] = mean + noise * DRAW.standard_normal(rows.sum())
        values[arm] = table[measure][rows][np.argsort(table["seed"][rows])]
    save(path, table)
    return values


def one(rows, says):
    row, = [row for row in rows if row["says"] == says]
    return row


HOLDS = {"vanilla": 1, "kd": 0.8, "aux": 0.9, "ebr": 0.6, "ebr0": 0.95, "res": 0.6, "res0": 0.95,
         "confusion": 0.7}
KD, EBR, BEST = "kd ends at a lower loss than vanilla", "ebr ends at a lower loss than vanilla", \
    "ebr ends at a lower loss than kd"


def agrees(comparison, differences):
    assert comparison["seeds"] == len(differences), comparison
    assert np.isclose(comparison["effect"], differences.mean(), rtol=1e-9), comparison
    assert np.isclose(comparison["standardised"], differences.mean() / differences.std(ddof=1), rtol=1e-9), comparison
    assert np.isclose(comparison["p"], stats.wilcoxon(differences, mode="exact").pvalue, rtol=1e-9), comparison
    expected = stats.bootstrap((differences,), np.mean, n_resamples=20000, method="percentile", random_state=1)
    low, high = expected.confidence_interval
    # Two bootstraps of 20000: their 2.5 % points differ by a few hundredths of the width.
    assert np.allclose(comparison["interval"], [low, high], atol=0.05 * (high - low)), (comparison, low, high)


def holds():
    table = made("holds.h5", "figure-6-convergence")
    values = lay("holds.h5", table, **HOLDS)
    rows = claims("holds.h5", "--resamples", "20000")
    assert len(rows) == 7 and {row["verdict"] for row in rows} == {"supported"}, rows
    assert {row["group"] for row in rows} == {"synthetic"}
    agrees(one(rows, KD), values["kd"] - values["vanilla"])
    agrees(one(rows, BEST), values["ebr"] - values["kd"])
    first, second = one(rows, EBR)["controls"]
    assert first["control"] == "ebr at lambda = 0" and second["control"] == "auxiliary supervision"
    agrees(first, values["ebr"] - values["ebr0"])
    agrees(second, values["ebr"] - values["aux"])
    every = [comparison for row in rows for comparison in [row, *row["controls"]]]
    assert len(every) == 1 + 6 * 3
    holm = multipletests([comparison["p"] for comparison in every], method="holm")[1]
    assert np.allclose([comparison["adjusted"] for comparison in every], holm, rtol=1e-12)
    assert claims("holds.h5", "holds.h5", "--resamples", "20000") == rows
    return table


def is_read():
    done = call("claims", "holds.h5")
    assert "no results of table-1-missing were given" in done.stderr, done
    for words in ("figure-6-convergence\n", "  " + KD + "\n    test_loss: kd - vanilla\n",
                  "synthetic: supported, and beyond every control", "beyond ebr at lambda = 0: -0."):
        assert words in done.stdout, (words, done.stdout)
    table = call("claims", "holds.h5", "--markdown").stdout.splitlines()
    assert table[0] == "### figure-6-convergence" and len(table) == 11, table
    assert all(line.count("|") == 8 for line in table[2:]), table
    assert call("claims", "holds.h5", "--summary").stdout.splitlines() == [
        "| verdict | figure-6-convergence |", "| --- | --- |", "| supported | 7 |", "| refuted | 0 |", "| cannot tell | 0 |"]


def judged(path, table, says, **means):
    lay(path, table, **(HOLDS | means))
    row = one(claims(path), says)
    return row["verdict"], row["words"]


def fails(table):
    assert judged("holds.h5", table, EBR, ebr=1.2) == ("refuted", "it is the other way round")
    assert judged("holds.h5", table, EBR, ebr0=0.6) == \
        ("refuted", "the effect is there, but ebr at lambda = 0 has as much of it")
    assert judged("holds.h5", table, EBR, aux=0.4) == \
        ("refuted", "the effect is there, but auxiliary supervision has more of it")
    assert judged("holds.h5", table, KD, kd=0.998, noise=0.002) == ("refuted", "any effect is below 0.01")


def cannot_be_told(table):
    assert judged("holds.h5", table, KD, kd=0.98, noise=0.2) == ("cannot tell", "the interval leaves both open")
    lay("holds.h5", table, **HOLDS)
    control = where(table, *PLACES["ebr0"])
    table["test_loss"][control] = 0.7 + 0.4 * (-1) ** np.arange(control.sum())
    save("holds.h5", table)
    row = one(claims("holds.h5"), EBR)
    assert (row["verdict"], row["words"]) == ("cannot tell",
                                              "the effect is there, but is not told apart from that of ebr at lambda = 0")
    lay("holds.h5", table, **dict.fromkeys(HOLDS, 1))
    table["test_loss"][where(table, *PLACES["kd"])] = table["test_loss"][where(table, *PLACES["vanilla"])] \
        - np.array([-3, -1, 2, 4, 5, 6, 7, 8, 9, 10, -2.5, 11]) / 100
    save("holds.h5", table)
    row = one(claims("holds.h5"), KD)
    assert (row["verdict"], row["words"]) == ("cannot tell", "not beyond chance among so many comparisons"), row


def lacks(table):
    """Arms, seeds, versions, measures that are not there; places with two runs."""
    shutil.copy("holds.h5", "lacks.h5")
    table = table.copy()
    lay("lacks.h5", table, **HOLDS)
    table["status"][where(table, "vanilla") & (table["seed"] == 3)] = b"failed"
    save("lacks.h5", table)
    row = one(claims("lacks.h5"), KD)
    assert row["seeds"] == SEEDS - 1 and row["left_out"] == 1 and row["verdict"] == "supported", row
    table["status"][table["seed"] >= 8] = b"failed"
    save("lacks.h5", table)
    row = one(claims("lacks.h5"), KD)
    assert (row["verdict"], row["words"]) == ("cannot tell", "7 seeds; 19 comparisons need at least 10"), row
    table["status"] = b"done"
    table["status"][where(table, *PLACES["ebr0"])] = b"failed"
    save("lacks.h5", table)
    rows = claims("lacks.h5")
    assert one(rows, EBR)["words"] == "no run of ebr at lambda = 0 is done and measured" and one(rows, EBR)["seeds"] == 0
    assert one(rows, EBR)["verdict"] == "cannot tell" and one(rows, KD)["verdict"] == "supported", rows
    with h5py.File("lacks.h5", "r+") as file:
        file.attrs["commit"] = "c0ffee"
    assert {row["words"].split(":")[0] for row in claims("holds.h5", "lacks.h5")} == {"mixed versions"}
    table["status"] = b"failed"
    save("lacks.h5", table)
    assert one(claims("lacks.h5"), KD)["words"] == "no run of kd is done and measured"
    made("twice.h5", "figure-6-convergence", lambdas="[0, 0.2, 0.3]", seeds=2)
    assert one(claims("twice.h5"), EBR)["words"] == "several runs of ebr for one seed"
    made("poor.h5", "figure-1-interference", measure="collisions: {relative: [0.3]}", seeds=2)
    rows = claims("poor.h5")
    assert [row["words"] for row in rows[:4]] == 4 * ["the results have no shared_neurons.relative.0.1"], rows
    assert [row["words"] for row in rows[4:]] == 3 * ["2 seeds; 9 comparisons need at least 9"], rows


def follows_an_axis():
    """The change along an axis is that of a straight line over its places; a modality's last column; a mean of columns."""
    table = made("change.h5", "figure-5-strength", "  model.strength.last: [0.5, 1, 8]\n" + ARMS,
                 "spectra: [head, fused, latent]")
    name = "fused_standardised.effective_rank"
    lay("change.h5", table, name, **(HOLDS | {"res": 20}))
    beta = table["model.strength.last"]
    table[name] += np.where(table["method"] == b"vanilla", -3, -1) * np.searchsorted([0.5, 1, 8], beta)
    save("change.h5", table)

    def change(arm):
        some = table[where(table, *PLACES[arm])]
        return np.array([np.polyfit([0, 1, 2], [some[name][(some["seed"] == seed) & (some["model.strength.last"] == value)][0]
                                                for value in (0.5, 1, 8)], 1)[0] * 2 for seed in range(SEEDS)])

    rows = claims("change.h5", "--resamples", "20000")
    falls = one(rows, "the representation's rank falls as beta grows")
    assert falls["verdict"] == "supported" and falls["reference"] is None, falls
    agrees(falls, change("vanilla"))
    agrees(one(rows, "with kd the representation's rank falls less"), change("kd") - change("vanilla"))
    assert one(rows, "with kd the representation's rank falls less")["verdict"] == "supported"
    assert one(rows, "with ebr the representation's rank falls less")["words"] == \
        "the effect is there, but ebr at lambda = 0 has as much of it"
    level = one(rows, "residual ebr raises the representation's rank")
    own, plain = ([table[name][where(table, *PLACES[arm]) & (table["seed"] == seed)].mean() for seed in range(SEEDS)]
                  for arm in ("res", "vanilla"))
    agrees(level, np.subtract(own, plain))
    assert level["verdict"] == "supported", level
    table["status"][where(table, "kd") & (beta == 8)] = b"failed"
    save("change.h5", table)
    assert one(claims("change.h5"), "kd raises the representation's rank")["words"] == "kd has no seed whose runs are all done"


def correlates():
    table = made("correlation.h5", "figure-1-interference", "  model.width: [4, 8, 12, 16]\n" + ARMS)
    shared = "shared_neurons.relative.0.1"
    table[shared] = table["model.width"] / 16 + 0.1 * DRAW.standard_normal(len(table))
    table["weakest_contribution"] = -table[shared] + 0.1 * DRAW.standard_normal(len(table))
    save("correlation.h5", table)
    rows = claims("correlation.h5", "--resamples", "20000")
    row = one(rows, "where more neurons are shared, the weakest modality contributes less (over widths)")
    some = table[where(table, "vanilla")]
    agrees(row, np.array([np.corrcoef(some[shared][some["seed"] == seed],
                                      some["weakest_contribution"][some["seed"] == seed])[0, 1] for seed in range(SEEDS)]))
    assert row["verdict"] == "supported" and row["group"] == "synthetic, data.modalities 2", row


def names_columns():
    """NAME.last and NAME.*"""
    table = made("last.h5", "figure-4-modalities", "  data.modalities: [2, 3, 4]\n" + ARMS, "probe: true")
    for last in range(4):
        table[f"probe_loss.{last}"] = 10.0 * last
    table[f"probe_loss.{3}"] += 0.01 * table["seed"]
    save("last.h5", table)
    row = one(claims("last.h5"), "the weakest modality's loss rises with the number of modalities")
    assert np.isclose(row["effect"], 20 + 0.01 * np.arange(SEEDS).mean()) and row["verdict"] == "supported", row
    axes = ARMS.replace("[vanilla, kd, ebr]", "[vanilla, kd, ebr, kd+ebr]").replace("{method: ebr}", "{method: [ebr, kd+ebr]}")
    axes = "  zip:\n    data.modalities: [2, 3]\n    measure.missing_count: [[1], [1, 2]]\n" + axes
    table = made("mean.h5", "table-1-missing", axes, "missing: [0.5, 0.8]")
    columns = [f"missing_accuracy.substitute.{rate}" for rate in ("0.5", "0.8")]
    values = [table[column][where(table, "ebr", 0.3)] for column in columns]
    zeros = [table[f"missing_accuracy.zero.{rate}"][where(table, "vanilla")] for rate in ("0.5", "0.8")]
    rows = claims("mean.h5")
    row = one(rows, "ebr with substitution is more accurate than zeros")
    assert np.isclose(row["effect"], np.mean(values) - np.mean(zeros)), row
    counts = [np.stack([table[f"missing_count_accuracy.{filling}.{k}"][where(table, *arm)] for k in (1, 2)])
              for filling, arm in (("substitute", ("ebr", 0.3)), ("zero", ("vanilla",)))]
    assert np.isnan(counts[0][1]).sum() == SEEDS, "two of two modalities were missing"
    row = one(rows, "ebr with substitution is more accurate than zeros, k of m missing")
    assert np.isclose(row["effect"], np.subtract(*(np.nanmean(part, axis=0).mean() for part in counts))), row
    assert one(rows, "kd+ebr with substitution is more accurate than grape")["words"] == \
        "no run of grape is done and measured"
    assert [control["control"] for control in one(rows, "kd+ebr with substitution is more accurate than zeros")["controls"]] \
        == ["kd+ebr at lambda = 0", "auxiliary supervision", "kd"]


def scarce():
    """One modality missing at several rates in training: a verdict for each rate, against other heads too."""
    axes = """  zip:
    - method: [vanilla, vanilla, vanilla, kd]
      model.fusion: [concat, grape, muse, concat]
  missing.train: [[0, 0.8], [0, 0.95]]
"""
    table = made("scarce.h5", "table-1-audio", axes)
    fusion, method = table["model.fusion"], table["method"]
    rate = np.where(table["missing.train"] == b"[0, 0.8]", 0.8, 0.95)
    assert set(table["missing.train"]) == {b"[0, 0.8]", b"[0, 0.95]"}, table["missing.train"]
    table["test_accuracy"] = 0.5 + 0.002 * DRAW.standard_normal(len(table)) + 0.2 * (method == b"kd") * (rate == 0.8) \
        + 0.3 * (fusion == b"muse")
    save("scarce.h5", table)
    rows = claims("scarce.h5")
    for says, verdicts in (("kd is more accurate than vanilla", ["supported", "refuted"]),
                           ("kd is more accurate than grape", ["supported", "refuted"]),
                           ("kd is more accurate than muse", ["refuted", "refuted"])):
        own = sorted((row for row in rows if row["says"] == says), key=lambda row: row["group"])
        assert [row["verdict"] for row in own] == verdicts, own
        assert [row["group"] for row in own] == ["synthetic, missing.train [0, 0.8]", "synthetic, missing.train [0, 0.95]"], own
    one_rate = rate == 0.8
    agrees(next(row for row in rows if row["says"] == "kd is more accurate than vanilla" and "0.8" in row["group"]),
           table["test_accuracy"][one_rate & (method == b"kd")]
           - table["test_accuracy"][one_rate & (method == b"vanilla") & (fusion == b"concat")])


def differs():
    """A claim of a difference, whichever way."""
    axes = "  method: [kd]\n  kd.order: [together, strong-first, weak-first]\n"
    table = made("order.h5", "order-of-distillation", axes)
    says = "distilling strong or weak ones first differs in loss"
    for shift, verdict in ((0.3, "supported"), (-0.3, "supported"), (0.0, "refuted")):
        table["test_loss"] = 1 + 0.002 * DRAW.standard_normal(len(table))
        table["test_loss"][table["kd.order"] == b"weak-first"] += shift
        save("order.h5", table)
        row = one(claims("order.h5"), says)
        assert row["verdict"] == verdict and row["direction"] == 0, row
    assert row["words"] == "any difference is below 0.01"
    table["test_loss"] = 1 + 0.2 * DRAW.standard_normal(len(table))
    save("order.h5", table)
    assert one(claims("order.h5"), says)["words"] == "the interval leaves both open"


def refuses():
    def refused(words, *arguments):
        done = call("claims", *arguments, code=2)
        assert done.stdout == "" and words in done.stderr and done.stderr.count("\n") == 1, done

    refused("which results files?")
    refused("there is no option '--jsno'", "holds.h5", "--jsno")
    refused("option '--resamples' needs a value", "holds.h5", "--resamples")
    refused("--resamples wants a whole number from 20 to 1000000, not '5'", "holds.h5", "-r", "5")
    made("other.h5", "other", seeds=1)
    refused("other.h5: no claim is about the sweep 'other'", "other.h5")
    refused("none.h5", "none.h5")


made_up = holds()
is_read()
fails(made_up)
cannot_be_told(made_up)
lacks(made_up)
follows_an_axis()
correlates()
names_columns()
scarce()
differs()
refuses()
