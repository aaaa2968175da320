"""Weights of PyTorch and safetensors checkpoints, through the converter and spectrum: numpy's singular values."""
# processors: 1
import json
import os
import subprocess

import h5py
import numpy as np
import torch

PROGRAM, CONVERT = os.environ["EBRSWEEP"], os.environ["SOURCE"] + "/analysis/convert_checkpoint.py"
PYTHON = os.environ.get("PYTHON", "python3")
RANDOM = np.random.default_rng(3)


def convert(*arguments, code=0):
    done = subprocess.run([PYTHON, CONVERT, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (arguments, done)
    return done


def write_safetensors(path, tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (kind, values) in tensors.items():
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(v.tobytes() for _, v in tensors.values()))


def spectrum_is(matrix, name):
    done = subprocess.run([PROGRAM, "spectrum", name, "--json"], capture_output=True, text=True, check=True)
    values = np.linalg.svd(np.asarray(matrix, float), compute_uv=False)
    assert np.allclose(json.loads(done.stdout)["singular_values"], values, rtol=0, atol=1e-12 * values[0]), name


weight = RANDOM.normal(size=(40, 30)).astype("f4")
half = RANDOM.normal(size=(20, 50)).astype("f2")
kernel = RANDOM.normal(size=(8, 3, 5, 5))
brain = (weight.view("u4") >> 16).astype("u2")  # the upper halves of the same floats
write_safetensors("model.safetensors", {"fusion.weight": ("F32", weight), "fusion.half": ("F16", half), "conv": ("F64", kernel),
                                        "bias": ("F32", weight[0]), "fusion.brain": ("BF16", brain), "odd": ("F8_E4M3", half)})
done = convert("model.safetensors", "model.h5")
assert "fusion/weight: 40 x 30" in done.stdout and "conv: 8 x 75" in done.stdout and "bias" not in done.stdout, done
assert "odd is of type F8_E4M3, and left out" in done.stderr, done
spectrum_is(weight, "model.h5:fusion/weight")
spectrum_is(half, "model.h5:/fusion/half")
spectrum_is(kernel.reshape(8, 75), "model.h5:conv")
spectrum_is((brain.astype("u4") << 16).view("f4"), "model.h5:fusion/brain")

torch.save({"epoch": 3, "model": {"fusion": torch.tensor(weight), "bias": torch.zeros(4)}, "list": [torch.tensor(kernel)],
            "brain": torch.tensor(weight).bfloat16()}, "model.pt")
convert("model.pt", "torch.h5")
spectrum_is(weight, "torch.h5:model/fusion")
spectrum_is(kernel.reshape(8, 75), "torch.h5:list/0")
convert("model.pt", "only.h5", "--only", "brain")
with h5py.File("only.h5") as file:
    assert list(file) == ["brain"] and np.allclose(file["brain"][:], weight, rtol=0.01)

assert "no tensor of two dimensions or more has 'nothing' in its name" in convert("model.pt", "x.h5", "--only", "nothing",
                                                                                   code=1).stderr
assert "there is no such file" in convert("none.pt", "x.h5", code=1).stderr
with open("model.safetensors", "rb") as whole, open("cut.safetensors", "wb") as cut:
    cut.write(whole.read()[:-2100])
assert "is cut short: fusion.brain ends at byte" in convert("cut.safetensors", "x.h5", code=1).stderr
with open("words.safetensors", "w") as words:
    words.write("these are words")
assert "is no safetensors file, or is cut short" in convert("words.safetensors", "x.h5", code=1).stderr
with open("words.pt", "w") as words:
    words.write("these are words")
assert "PyTorch cannot read it as weights alone" in convert("words.pt", "x.h5", code=1).stderr
