"""Runs the export program in both precisions, replays in PyTorch what it wrote, and compares the losses of every step.

    compare.py EXPORT_F64 EXPORT_FLOAT [PART_OF_A_NAME]

Prints two lines a setting: the worst relative difference of any loss, |ours - torch's| / max(|torch's|, 1e-3), where it
was, and on a third the same of the weights after the last step. Exit code 1 if a loss differs by more than the tolerance.
The replay is in double for both, which is the stricter question to float; only where a rounding has sent a ReLU the other way
is it asked again of PyTorch in float.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import h5py  # noqa: E402
import numpy  # noqa: E402
import torch  # noqa: E402

from reference import DEFAULTS, Batch, Network, Trainer, remedies_at  # noqa: E402

TOLERANCE = {"f64": 1e-9, "float": 1e-4}
LOSSES = ["semantic", "discrimination", "distillation", "auxiliary", "contrast", "impute"]
FLOOR = 1e-3


def value_of(text):
    """A parameter's text as a value: numbers, lists, true, false and none as in a sweep file; else the word itself."""
    if text == "none":
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def config_of(group):
    missing = [name for name in DEFAULTS if name not in group.attrs]
    if missing:
        raise SystemExit(f"compare.py: the export does not tell {', '.join(missing)}")
    config = {}
    for name, default in DEFAULTS.items():
        text = group.attrs[name]
        config[name] = value_of(text.decode() if isinstance(text, bytes) else text)
    if config["model.activation"] is None:
        config["model.activation"] = "none"
    return config


class Recording:
    """One setting of the export."""

    def __init__(self, group, precision):
        dtype = {"f64": torch.float64, "float": torch.float32}[precision]
        real = lambda name: torch.from_numpy(group[name][()]).to(dtype)
        self.group, self.config = group, config_of(group)
        modalities = sum(name.startswith("x.") for name in group)
        self.x = [real(f"x.{i}") for i in range(modalities)]
        self.pictures = [group[f"picture.{i}"][()].tolist() for i in range(modalities)]
        self.label = torch.from_numpy(group["label"][()]).long()
        self.present = real("present") if "present" in group else None
        self.truth = torch.cat([real(f"truth.{i}") for i in range(modalities)], 1) if "truth.0" in group else None
        self.batches = torch.from_numpy(group["batches"][()]).long()
        self.view = real("view") if "view" in group else None
        self.taught = "teacher.features" in group
        if self.taught:
            self.features, self.logits = real("teacher.features"), real("teacher.logits")
            self.order, self.teacher = group["teacher.order"][()].tolist(), int(group["teacher.modality"][0])

    def batch(self, network, step):
        rows = self.batches[step]
        batch = Batch([self.x[i][rows] for i in network.used], self.label[rows])
        if self.present is not None:
            batch.present = self.present[rows][:, network.used]
        if self.truth is not None:
            batch.target = self.truth[rows]
        if self.view is not None:
            batch.view = self.view[step]
        if self.taught:
            batch.teacher_features, batch.teacher_logits = self.features[rows], self.logits[rows]
        return batch

    def remedies(self, network, step):
        steps = self.config["train.epochs"] * (len(self.label) // self.batches.shape[1])
        teacher, order = (self.teacher, self.order) if self.taught else (None, None)
        return remedies_at(self.config, len(network.used), step, steps, teacher, order)

    def check_views(self):
        """Each sample keeps at least one of its edges and gains none; with probability 1/2 it keeps a uniform number."""
        if self.view is None:
            return
        present = torch.ones_like(self.view) if self.present is None else self.present[self.batches]
        degree, kept = present.sum(2), self.view.sum(2)
        assert (self.view <= present).all(), "a view has an edge that is not there"
        assert ((kept >= 1) | (degree == 0)).all(), "a view lost all edges of a sample"
        expected = torch.where(degree >= 1, degree / 2 + (1 + degree) / 4, degree)
        assert abs((kept - expected).mean()) < 0.1, f"views keep {kept.mean():.3f} edges instead of {expected.mean():.3f}"


def in_our_layout(parameter, name):
    """As ebrsweep stores it: weights (in x out), biases (1 x out); nn.Linear's weight is (out x in)."""
    values = parameter.detach()
    if "bias" in name:
        return values.reshape(1, -1)
    return values if name == "phi.nodes" else values.T


def load_weights(network, group):
    tensors = dict(network.tensors())
    if set(tensors) != set(group):
        raise SystemExit(f"compare.py: {group.name}: tensors differ: {sorted(set(tensors) ^ set(group))}")
    for name, parameter in tensors.items():
        in_our_layout(parameter, name).copy_(torch.from_numpy(group[name][()]))


def difference(ours, theirs):
    return numpy.abs(ours - theirs) / numpy.maximum(numpy.abs(theirs), FLOOR)


def replay(recording):
    """The losses of every step (LOSSES x steps) in torch, those that the setting does not have being 0, and the network."""
    network = Network(recording.config, [x.shape[1] for x in recording.x], int(recording.label.max()) + 1,
                      recording.pictures)
    network.to(recording.x[0].dtype)
    load_weights(network, recording.group["first"])
    trainer = Trainer(network, foreach=True)
    losses = numpy.zeros((len(LOSSES), len(recording.batches)))
    for step in range(len(recording.batches)):
        found = trainer.step(recording.batch(network, step), recording.remedies(network, step))
        for name, loss in found.items():
            losses[LOSSES.index(name), step] = float(loss)
    return losses, network


def worst_weight(recording, network):
    last, worst = recording.group["last"], 0.0
    for name, parameter in network.tensors():
        theirs = in_our_layout(parameter, name).numpy()
        worst = max(worst, numpy.abs(last[name][()] - theirs).max() / max(numpy.abs(theirs).max(), FLOOR))
    return worst


def worst_loss(group, theirs):
    """The largest difference of any loss, which loss it is and at which step."""
    apart = difference(numpy.stack([group[f"loss.{loss}"][()] for loss in LOSSES]), theirs)
    apart[~numpy.isfinite(apart)] = numpy.inf
    loss, step = numpy.unravel_index(apart.argmax(), apart.shape)
    return apart[loss, step], LOSSES[loss], step


def check_same(double, single):
    """In float everything begins with what it begins with in double, rounded."""
    def compare(name, values):
        if isinstance(values, h5py.Dataset) and not name.startswith(("last/", "loss.", "teacher.")):
            assert numpy.array_equal(values[()].astype("f4"), single[name][()].astype("f4")), f"{double.name}/{name} differs"
    double.visititems(compare)


def compare(name, double, single):
    """Both precisions against torch in double; where float has left that way, against torch in float."""
    check_same(double, single)
    recording = Recording(double, "f64")
    recording.check_views()
    theirs, network = replay(recording)
    weight, good = worst_weight(recording, network), True
    for precision, group in ("f64", double), ("float", single):
        beside = ""
        apart, loss, step = worst_loss(group, theirs)
        if precision == "float" and apart > TOLERANCE[precision]:
            beside = f" ({apart:.2e} from torch in double)"
            apart, loss, step = worst_loss(group, replay(Recording(group, precision))[0])
        good = good and apart <= TOLERANCE[precision]
        print(f"{'ok  ' if apart <= TOLERANCE[precision] else 'FAIL'} {name:24} {precision:5} {apart:.2e} in {loss} at step "
              f"{step:3}{beside}", flush=True)
    print(f"     weights {weight:.2e}, semantic {theirs[0, 0]:.3f} -> {theirs[0, -1]:.3f}", flush=True)
    return good


def main():
    exports, only = sys.argv[1:3], sys.argv[3] if len(sys.argv) > 3 else ""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{precision}.h5" for precision in TOLERANCE]
        for export, path in zip(exports, paths):
            subprocess.run([export, path], check=True)
        with h5py.File(paths[0], "r") as double, h5py.File(paths[1], "r") as single:
            assert set(double) == set(single), set(double) ^ set(single)
            results = [compare(name, double[name], single[name]) for name in double if only in name]
    if not results:
        raise SystemExit("compare.py: nothing was compared")
    print(f"{sum(results)} of {len(results)} settings agree to " +
          " and to ".join(f"{tolerance:g} in {precision}" for precision, tolerance in TOLERANCE.items()))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
