#!/usr/bin/env python3
"""Weights of a PyTorch or safetensors checkpoint as an HDF5 file, for `ebrsweep spectrum OUT:/name/of/weight`.

    python3 analysis/convert_checkpoint.py model.safetensors weights.h5
    python3 analysis/convert_checkpoint.py checkpoint.pt weights.h5 --only fusion

Every tensor of two dimensions or more becomes a dataset, dots of its name becoming slashes; the dimensions behind the first
are folded into one, as for the matrix of a convolution. A tensor is read when it is written, so that a file larger than memory
can be converted from safetensors. PyTorch files need torch, and are read without running what they pickle.
"""
import argparse
import json
import sys
from pathlib import Path

import h5py
import numpy as np

# https://github.com/huggingface/safetensors, "Format"
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1",
          "BOOL": "?", "BF16": "<u2"}


class Refused(Exception):
    """The file is not what it should be; the message says how."""


def widen(bits):
    """bfloat16 is the upper half of a float."""
    return (bits.astype("<u4") << 16).view("<f4")


def safetensors(path):
    """(name, shape, read) of every tensor."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, 100 << 20):
            raise Refused(f"{path}: is no safetensors file, or is cut short")
        try:
            header = json.loads(file.read(length))
        except ValueError:
            raise Refused(f"{path}: its safetensors header is no JSON") from None
    for name, about in header.items():
        if name == "__metadata__":
            continue
        if about["dtype"] not in DTYPES:
            print(f"{path}: {name} is of type {about['dtype']}, and left out", file=sys.stderr)
            continue
        start, stop = about["data_offsets"]
        if 8 + length + stop > size:
            raise Refused(f"{path}: is cut short: {name} ends at byte {8 + length + stop} of {size}")

        def read(start=start, about=about):
            values = np.memmap(path, DTYPES[about["dtype"]], "r", 8 + length + start, tuple(about["shape"]))
            return widen(values) if about["dtype"] == "BF16" else values

        yield name, about["shape"], read


def flatten(value, name=""):
    """Tensors of nested dictionaries and lists, with dotted names."""
    if hasattr(value, "detach"):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from flatten(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from flatten(item, f"{name}.{index}" if name else str(index))


def pytorch(path):
    """(name, shape, read) of every tensor."""
    import torch  # pylint: disable=import-outside-toplevel  # only these files need it
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise Refused(f"{path}: PyTorch cannot read it as weights alone: {str(error).splitlines()[0]}") from None
    for name, tensor in flatten(content):
        def read(tensor=tensor):
            tensor = tensor.detach()
            return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()

        yield name, tuple(tensor.shape), read


def convert(source, target, only):
    tensors = safetensors(source) if source.suffix == ".safetensors" else pytorch(source)
    count = 0
    with h5py.File(target, "w") as file:
        file.attrs["source"] = source.name
        for name, shape, read in tensors:
            if len(shape) < 2 or only not in name:
                continue
            values = read()
            file[name.replace(".", "/")] = values.reshape(shape[0], -1)
            print(f"{name.replace('.', '/')}: {shape[0]} x {values.size // shape[0]}")
            count += 1
    if count == 0:
        target.unlink()
        raise Refused(f"{source}: no tensor of two dimensions or more" + (f" has '{only}' in its name" if only else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--only", default="", metavar="PART", help="tensors with this in their name")
    arguments = parser.parse_args()
    try:
        if not arguments.source.is_file():
            raise Refused(f"{arguments.source}: there is no such file")
        convert(arguments.source, arguments.target, arguments.only)
    except Refused as refused:
        sys.exit(f"convert_checkpoint: {refused}")


if __name__ == "__main__":
    main()
