"""The reference BLAS and LAPACK in place of OpenBLAS, as where a site has another BLAS: the same results but for rounding."""
import glob
import json
import os
import shlex
import subprocess
from pathlib import Path

import h5py
import numpy as np

PROGRAM, SOURCE, MPIRUN = os.environ["EBRSWEEP"], Path(os.environ["SOURCE"]), shlex.split(os.environ["MPIRUN"])
FOLDERS = [os.path.dirname(path) for name in ("blas/libblas", "lapack/liblapack")
           for path in glob.glob(f"/usr/lib/*/{name}.so.3")]
REFERENCE = {**os.environ, "LD_LIBRARY_PATH": ":".join(FOLDERS)}


def call(*command, environment=None):
    done = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done
    return done.stdout


loaded = call("ldd", PROGRAM, environment=REFERENCE)
assert len(FOLDERS) == 2 and all(f"=> {folder}/lib" in loaded for folder in FOLDERS), (FOLDERS, loaded)
assert "openblas" not in loaded, loaded

for name, environment in (("usual", None), ("reference", REFERENCE)):
    call(*MPIRUN, "-n", 2, PROGRAM, "run", "-q", SOURCE / "sweeps/smoke.yaml", "-o", f"{name}.h5", environment=environment)
with h5py.File("usual.h5") as a, h5py.File("reference.h5") as b:
    assert a.attrs["blas_kernel"] != b"unknown" and b.attrs["blas_kernel"] == b"unknown"
    assert (b["runs"]["status"] == b"done").all() and (a["runs"]["id"] == b["runs"]["id"]).all()
    # Eight steps in float: some hundred roundings of 6e-8 each.
    for column in ("train_loss", "test_loss", "head.nuclear_norm", "fused.effective_rank", "interference"):
        assert np.allclose(a["runs"][column], b["runs"][column], rtol=1e-4), (column, a["runs"][column], b["runs"][column])
    assert not np.array_equal(a["runs"]["test_loss"], b["runs"]["test_loss"]), "was this another BLAS at all?"

matrix = np.random.default_rng(0).normal(size=(120, 70))
np.save("matrix.npy", matrix)
for more in ([], ["--solver", "pdgesvd"], ["--top", 5]):
    found = json.loads(call(*MPIRUN, "-n", 2, PROGRAM, "spectrum", "matrix.npy", "--json", *more, environment=REFERENCE))
    expected = np.linalg.svd(matrix, compute_uv=False)[:len(found["singular_values"])]
    assert np.allclose(found["singular_values"], expected, rtol=1e-12), more
