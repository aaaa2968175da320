# Spack recipe: `spack repo create ~/ebrsweep-repo`, this file to packages/ebrsweep/package.py in it, `spack install ebrsweep`.
from spack.package import *


class Ebrsweep(CMakePackage):
    """Trains thousands of small multimodal networks across MPI ranks and tells why they stop using some modalities."""

    homepage = "https://arxiv.org/abs/2505.22483"
    license("Apache-2.0")

    version("main", branch="main")

    variant("double", default=False, description="Train in double instead of float")

    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconf", type="build")
    depends_on("help2man", type="build")
    depends_on("mpi@3:")
    depends_on("hdf5+mpi+hl")
    depends_on("openblas")
    depends_on("netlib-lapack+lapacke", type=("build", "link"))
    depends_on("netlib-scalapack")
    depends_on("petsc+mpi~complex+scalapack")
    depends_on("slepc")
    depends_on("libfyaml")
    depends_on("random123")
    depends_on("xxhash")
    depends_on("python@3.9:", type="run")
    for package in ("h5py", "numpy", "scipy", "pandas", "matplotlib", "seaborn", "statsmodels", "scikit-learn"):
        depends_on("py-" + package, type="run")

    generator("ninja")

    def cmake_args(self):
        return [
            self.define("EBR_TESTS", False),
            self.define("EBR_BENCHES", False),
            self.define_from_variant("EBR_TRAIN_DOUBLE", "double"),
        ]
