# processors: 1
# timeout: 300
"""doc/extending.md: its patches apply, build without a warning, run, and give what numpy says they must."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

PROGRAM, SOURCE = os.environ["EBRSWEEP"], Path(os.environ["SOURCE"])
PAGE = (SOURCE / "doc/extending.md").read_text(encoding="utf-8")
PARTS = ["CMakeLists.txt", "cmake", "include", "src", "jobs", "sweeps", "analysis", "README.md", "LICENSE", "CITATION.cff"]


def call(*command, **options):
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, **options)
    assert done.returncode == 0, f"{command}: {done.stdout[-4000:]} {done.stderr[-4000:]}"
    return done


def build():
    """The program from a copy of the tree with all patches of the page."""
    tree = Path("tree").resolve()
    for part in PARTS:
        copy = shutil.copytree if (SOURCE / part).is_dir() else shutil.copy
        tree.mkdir(exist_ok=True)
        copy(SOURCE / part, tree / part)
    for patch in re.findall(r"`git apply (\S+)`", PAGE):
        text = (SOURCE / patch).read_text(encoding="utf-8")
        added = len(re.findall(r"^\+(?!\+\+ )", text, re.MULTILINE))
        assert 0 < added < 50, f"{patch}: {added} lines"
        # Not inside a work tree of git's, where paths would be relative to its top.
        call("git", "apply", SOURCE / patch, cwd=tree, env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)})
    call("cmake", "-S", tree, "-B", "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O0",
         "-DEBR_TESTS=OFF", "-DEBR_BENCHES=OFF", "-DEBR_WARNINGS_AS_ERRORS=ON")
    call("cmake", "--build", "build", "--target", "ebrsweep_program", "-j", "2")
    return Path("build/ebrsweep")


def extended(program):
    """The measure against numpy, the remedy by what it is for, and old runs with their old ids."""
    sweep = next(code for code in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "align" in code)
    Path("alignment.yaml").write_text(sweep, encoding="utf-8")
    call(program, "run", "-q", "alignment.yaml")
    with h5py.File("alignment.h5") as file:
        runs, weights = file["runs"][:], file["spectra/head_weights"][:, -1, :]
    assert len(runs) == 4 and (runs["status"] == b"done").all(), runs["reason"]
    root = np.sqrt(weights.shape[1])
    expected = (root - np.abs(weights).sum(axis=1) / np.linalg.norm(weights, axis=1)) / (root - 1)
    assert np.allclose(runs["head_sparseness"], expected, rtol=1e-12), (runs["head_sparseness"], expected)
    sizes = {weight: runs["latent.0.nuclear_norm"][runs["align.weight"] == weight] for weight in (0, 1)}
    assert (sizes[1] < 0.5 * sizes[0]).all(), sizes
    Path("plain.yaml").write_text(re.sub(r"  align.*\n", "", sweep), encoding="utf-8")
    call(PROGRAM, "run", "-q", "plain.yaml", "-o", "plain.h5")
    with h5py.File("plain.h5") as file:
        assert set(file["runs"]["id"]) == set(runs["id"][runs["align.weight"] == 0]), "a new parameter changed old ids"


def data_source():
    """Alone each modality is worth a coin, together nearly everything: signs are some 5 apart, the noise is 0.3."""
    script = SOURCE / "doc/examples/convert_xor.py"
    assert len(script.read_text(encoding="utf-8").splitlines()) < 50
    call(sys.executable, script, "-o", "xor.h5", env={**os.environ, "PYTHONPATH": str(SOURCE / "analysis")})
    Path("xor.yaml").write_text("name: xor-runs\nbase: {data: {source: hdf5, file: xor.h5}, train: {epochs: 20}}\n"
                                "axes: {method: [vanilla]}\n", encoding="utf-8")
    call(PROGRAM, "run", "-q", "xor.yaml")
    with h5py.File("xor-runs.h5") as file:
        run = file["runs"][0]
    assert run["test_accuracy"] > 0.95, run["test_accuracy"]
    assert all(abs(run[f"alone_accuracy.{i}"] - 0.5) < 0.1 for i in (0, 1)), run
    assert call(sys.executable, script, "--help", env={**os.environ, "PYTHONPATH": str(SOURCE / "analysis")}).stdout


data_source()
extended(build())
