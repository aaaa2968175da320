"""spectrum as a user calls it: values and ranks against numpy for every kind of file, at 1, 2 and 4 ranks; bad files are
refused with one sentence."""
# processors: 1
# timeout: 300
import json
import os
import shlex
import subprocess

import h5py
import numpy as np

PROGRAM, MPIRUN = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"])
EPS = np.finfo(float).eps
RANDOM = np.random.default_rng(7)


def call(*arguments, code=0, ranks=None):
    start = MPIRUN + ["-n", str(ranks)] if ranks else []
    done = subprocess.run(start + [PROGRAM, "spectrum", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (arguments, done)
    return done


def found(*arguments, ranks=None):
    return json.loads(call(*arguments, "--json", ranks=ranks).stdout)


def refused(code, words, *arguments):
    for ranks in (None, 2) if code == 2 and ("finite" in words or "dimensional" in words) else (None,):
        done = call(*arguments, code=code, ranks=ranks)
        ours = [line for line in done.stderr.splitlines() if line.startswith("ebrsweep: ")]
        assert done.stdout == "" and words in done.stderr and (len(ours) == 1 or "option" in words), (arguments, done)


def measures(singular, shape):
    share, first = singular / singular.sum(), singular[0]
    share = share[share > 0]
    return {"effective_rank": np.exp(-(share * np.log(share)).sum()), "stable_rank": (singular ** 2).sum() / first ** 2,
            "numerical_rank": (singular > max(shape) * EPS * first).sum(),
            "rank_1e-2": (singular > 1e-2 * first).sum(), "rank_1e-3": (singular > 1e-3 * first).sum(),
            "participation_ratio": (singular ** 2).sum() ** 2 / (singular ** 4).sum(), "nuclear_norm": singular.sum()}


def agrees(answer, matrix):
    """Measures are numpy's of the values that were found, to 1e-12; and the values numpy's own."""
    matrix = np.asarray(matrix, float)
    singular, numpys = np.array(answer["singular_values"]), np.linalg.svd(matrix, compute_uv=False)
    assert (answer["rows"], answer["cols"]) == matrix.shape and len(singular) == min(matrix.shape), answer
    assert np.abs(singular - numpys).max() <= 20 * EPS * numpys[0], np.abs(singular - numpys).max() / EPS / numpys[0]
    for key, value in measures(singular, matrix.shape).items():
        assert abs(answer[key] - value) <= 1e-12 * abs(value), (key, answer[key], value)
    if singular[-1] > 1e-10 * singular[0]:
        assert abs(answer["condition"] * singular[-1] / singular[0] - 1) < 1e-12


def every_kind_of_file():
    """HDF5 and .npy, both orders, both ends first, tall, wide, one row, one column, fewer rows than ranks."""
    tall = RANDOM.normal(size=(130, 70)) * 10
    kinds = {"double.npy": tall, "fortran.npy": np.asfortranarray(tall), "wide.npy": tall.T.copy(),
             "wide-fortran.npy": np.asfortranarray(tall.T), "float.npy": tall.astype("f4"), "half.npy": tall.astype("f2"),
             "big.npy": tall.astype(">f8"), "short.npy": tall.astype("i2"), "byte.npy": tall.astype("u1"),
             "bool.npy": tall > 0, "row.npy": tall[:1].copy(), "col.npy": tall[:, :1].copy(), "three.npy": tall[:3].copy()}
    with h5py.File("all.h5", "w") as file:
        for name, matrix in kinds.items():
            np.save(name, matrix)
            if matrix.dtype != bool:
                file["group/" + name] = matrix
    for name, matrix in kinds.items():
        agrees(found(name, ranks=4 if name in ("double.npy", "wide-fortran.npy", "three.npy") else 2), matrix)
        if name in ("double.npy", "wide.npy", "short.npy", "row.npy"):
            agrees(found("all.h5:group/" + name), matrix)
    agrees(found("all.h5:/group/float.npy", ranks=2), kinds["float.npy"])


def known_values():
    zero, half = np.zeros((9, 5)), np.diag([4., 3, 0, 0])
    np.save("zero.npy", zero)
    np.save("rank2.npy", half)
    answer = found("zero.npy", ranks=2)
    assert answer["singular_values"] == [0] * 5 and answer["effective_rank"] == 0 and answer["condition"] is None, answer
    answer = found("rank2.npy", ranks=2)
    assert np.allclose(answer["singular_values"], [4, 3, 0, 0], atol=1e-15) and answer["numerical_rank"] == 2, answer


def options():
    matrix = RANDOM.normal(size=(150, 90)) + 3
    for name, stored in (("c.npy", matrix), ("t.npy", matrix.T.copy()), ("f.npy", np.asfortranarray(matrix))):
        np.save(name, stored)
        for ranks in (2, 4) if name == "c.npy" else (2,):
            agrees(found(name, "--center", "--block", "8", ranks=ranks), stored - stored.mean(0))
            out = f"vectors-{name}-{ranks}.h5"
            answer = found(name, "--vectors", out, ranks=ranks)
            with h5py.File(out) as file:
                left, right, singular = file["left"][:], file["right"][:], file["singular_values"][:]
            assert np.abs(left * singular @ right.T - stored).max() < 1e-11 and np.allclose(singular, answer["singular_values"])
            assert np.abs(left.T @ left - np.eye(len(singular))).max() < 1e-12
    values = np.linalg.svd(matrix, compute_uv=False)
    for solver in ["--solver", "pdgesvd"], ["--", "-svd_type", "scalapack"], ["--", "-svd_type", "cross"]:
        answer = json.loads(call("c.npy", "--json", *solver, ranks=2).stdout)
        assert np.abs(np.array(answer["singular_values"]) - values).max() < 1e-10 * values[0], solver
    answer = found("c.npy", "--top", "3", ranks=2)
    assert np.allclose(answer["singular_values"], values[:3], rtol=1e-10) and answer["effective_rank"] is None, answer
    assert abs(answer["stable_rank"] - (values ** 2).sum() / values[0] ** 2) < 1e-9
    text = call("c.npy", "--values", ranks=2).stdout.splitlines()
    assert "150 x 90, 90 singular values by band on 2 ranks" in text[0] and len(text) == 1 + 8 + 2 + 20 + 2 + 90, text
    assert np.allclose([float(line.split()[1]) for line in text[-90:]], values, rtol=1e-12)


HEADS = """
name: heads
base:
  data: {source: synthetic, modalities: 2, classes: 4, predictive: 3, noise: 3, train: 128, test: 64}
  model: {encoder: [16, 8], width: 12}
  train: {epochs: 2, batch: 32, optimizer: sgd}
axes: {train.rate: [1e-2, 1000], seed: {from: 0, count: 7}}
measure: {spectra: [WHAT]}
"""


def heads_of_a_sweep():
    """The heads of finished runs, one a row; failed ones are left out."""
    for what in "weights", "head":
        with open(what + ".yaml", "w") as file:
            file.write(HEADS.replace("WHAT", what))
        done = subprocess.run([PROGRAM, "run", what + ".yaml", "-q", "-o", what + ".h5"], capture_output=True, text=True)
        assert done.returncode == 1 and "7 of 14 runs failed" in done.stderr, done
    with h5py.File("weights.h5") as file:
        stack = file["spectra/head_weights"][:, 0, :][file["runs"]["status"] == b"done"]
        one = np.linalg.svd(stack[3].reshape(16, 12), compute_uv=False)
    assert stack.shape == (7, 16 * 12) and np.isfinite(stack).all()
    for ranks in None, 2:
        agrees(found("weights.h5:heads", "--center", ranks=ranks), stack - stack.mean(0))
    with h5py.File("head.h5") as file:
        spectra = file["spectra/head"][:][file["runs"]["status"] == b"done"]
    assert np.allclose(spectra[3, -1], one, rtol=1e-12), "the weights that were kept are not those that were measured"
    refused(2, "head.h5:heads: no heads were kept; measure.spectra: [weights] does", "head.h5:heads")
    with h5py.File("weights.h5", "r+") as file:
        file["spectra/head_weights"][...] = np.nan
    refused(2, "weights.h5:heads: no run is done", "weights.h5:heads")


def bad_files():
    good = RANDOM.normal(size=(40, 30))
    holes = good.copy()
    holes[17, 4], holes[30, 2] = np.nan, np.inf
    np.save("nan.npy", holes)
    np.save("nan-fortran.npy", np.asfortranarray(holes))
    np.save("cube.npy", np.zeros((2, 3, 4)))
    np.save("complex.npy", good * 1j)
    np.save("empty.npy", np.zeros((0, 4)))
    np.save("good.npy", good)
    with open("good.npy", "rb") as whole, open("cut.npy", "wb") as cut, open("head.npy", "wb") as head:
        numbers = whole.read()
        cut.write(numbers[:-8])
        head.write(numbers[:40])
    with open("not.npy", "w") as file:
        file.write("these are words, and no numbers at all")
    with h5py.File("bad.h5", "w") as file:
        file["nan"], file["line"], file["good"] = holes, good[0], good
        file["words"] = np.array([[b"a", b"b"]])
        file["empty"] = np.zeros((3, 0))
    with open("bad.h5", "rb") as whole, open("cut.h5", "wb") as cut:
        cut.write(whole.read()[:6000])
    refused(2, "nan.npy: row 17, column 4 is not a finite number", "nan.npy")
    refused(2, "nan-fortran.npy: row 30, column 2 is not a finite number", "nan-fortran.npy")
    refused(2, "bad.h5:nan: row 17, column 4 is not a finite number", "bad.h5:nan")
    refused(2, "cube.npy: /array is 3-dimensional, not 2-dimensional", "cube.npy")
    refused(2, "line is 1-dimensional, not 2-dimensional", "bad.h5:line")
    refused(2, "numpy's type 'c16', which are no real numbers", "complex.npy")
    refused(2, "words holds strings, not numbers", "bad.h5:words")
    refused(2, "empty.npy: /array is empty", "empty.npy")
    refused(2, "empty is empty", "bad.h5:empty")
    refused(2, "cut.npy: is cut short: its header promises 9600 bytes of numbers, and 9592 are there", "cut.npy")
    refused(2, "head.npy: its .npy header cannot be read", "head.npy")
    refused(2, "not.npy: is not a .npy file", "not.npy")
    refused(2, "cut.h5: HDF5 cannot open it; it may be cut short", "cut.h5:good")
    refused(2, "bad.h5: has no nothing", "bad.h5:nothing")
    refused(2, "none.h5: there is no such file", "none.h5:x")
    refused(2, "good.h5: which dataset? Say FILE:PATH", "good.h5")
    refused(2, "bad.h5:: which dataset in it?", "bad.h5:")
    refused(3, "cut.npy: exists already, and is left as it is", "good.npy", "--vectors", "cut.npy")
    refused(3, "SVDSetFromOptions failed", "good.npy", "--", "-svd_type", "nix")
    refused(2, "option '--top' needs a value", "good.npy", "--top")
    refused(2, "there is no option '--fast'", "good.npy", "--fast")
    for option, wrong in (("--top", "0"), ("--block", "x")):
        assert f"{option} wants a whole number from 1" in call("good.npy", option, wrong, code=2).stderr
    assert "there is no solver 'fast'" in call("good.npy", "--solver", "fast", code=2).stderr
    assert "which matrix?" in call(code=2).stderr


every_kind_of_file()
known_values()
options()
heads_of_a_sweep()
bad_files()
