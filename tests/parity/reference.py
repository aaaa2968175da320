"""The networks and the training step of ebrsweep in PyTorch, written from the formulas and not from the C code's backward
pass: autograd finds all gradients. It is what tests/parity compares with and bench/train_pytorch.py races against.

Shapes: B samples, m modalities, features F_i (B x l), latents G_i (B x q), fusion-head width n, C classes.

    x_i --f_i--> F_i [--h_i--> G_i --h_i^-1--> R_i] --b_i--> fused --phi--> logits
                          \\--psi--> which modality?   \\--shared classifier--> auxiliary logits

Papers: Chaudhuri et al., ICML 2025 (basis reallocation); You et al., NeurIPS 2020 (grape); Wu et al., ICLR 2024 (muse);
Ganin, Lempitsky, ICML 2015 (gradient reversal); Tzeng et al., ICCV 2015 (confusion); Hinton, Vinyals, Dean 2015 (softened
logits); Loshchilov, Hutter, ICLR 2019 (decoupled decay).
"""

import math
from dataclasses import dataclass
from typing import Optional

import torch
import torch.nn.functional as F
from torch import nn

# What the reference reads of a run's parameters, with the program's defaults and names.
DEFAULTS = {
    "method": "vanilla",
    "data.predictive": 4,
    "data.noise": 8,
    "model.encoder": [64, 32],
    "model.convolution": [],
    "model.kernel": 5,
    "model.activation": "relu",
    "model.fusion": "concat",
    "model.width": 128,
    "model.strength.each": [1],
    "model.strength.last": None,
    "model.layers": 3,
    "model.normalize": True,
    "model.contrast": 1.0,
    "model.impute": 1.0,
    "train.epochs": 30,
    "train.loss": "cross-entropy",
    "train.optimizer": "adam",
    "train.rate": 1e-3,
    "train.momentum": 0.9,
    "train.beta1": 0.9,
    "train.beta2": 0.999,
    "train.epsilon": 1e-8,
    "train.weight_decay": 0.0,
    "train.l1": 0.0,
    "unimodal.modality": 0,
    "kd.weight": 1.0,
    "kd.form": "mse",
    "kd.temperature": 2.0,
    "kd.order": "together",
    "ebr.lambda": 0.3,
    "ebr.ramp": 0.0,
    "ebr.latent": 0,
    "ebr.hidden": 0,
    "ebr.residual": False,
    "ebr.form": "reversal",
    "ebr.psi.hidden": 32,
    "ebr.psi.rate": None,
    "ebr.psi.steps": 1,
    "ebr.psi.conditional": False,
    "auxiliary.weight": 0.0,
}

MUSE_TEMPERATURE = 0.07


# ---- network ---------------------------------------------------------------------------------------------------------


class Mlp(nn.Module):
    """Linear layers with the activation between them, none behind the last."""

    def __init__(self, widths, relu=True):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.relu = relu

    def forward(self, x, frozen=False):
        for k, layer in enumerate(self.layers):
            weight, bias = (layer.weight.detach(), layer.bias.detach()) if frozen else (layer.weight, layer.bias)
            x = F.linear(x, weight, bias)
            if self.relu and k < len(self.layers) - 1:
                x = F.relu(x)
        return x

    def tensors(self, prefix):
        for k, layer in enumerate(self.layers):
            yield f"{prefix}.weight.{k}", layer.weight
            yield f"{prefix}.bias.{k}", layer.bias


class Convolutions(nn.Module):
    """Convolutions at every second row and column with the activation behind each, between a picture of shape (rows,
    columns, channels) and an MLP. Their weights lie as (out x kernel kernel in), those of a linear layer on a piece."""

    def __init__(self, picture, channels, kernel, widths, relu):
        super().__init__()
        self.picture, self.kernel, self.relu = picture, kernel, relu
        rows, columns, into = picture
        self.layers = nn.ModuleList(nn.Linear(kernel * kernel * a, b) for a, b in zip([into] + channels, channels))
        for _ in channels:
            rows, columns = (rows + 1) // 2, (columns + 1) // 2
        self.mlp = Mlp([rows * columns * channels[-1]] + widths, relu)

    def forward(self, x):
        x = x.reshape(-1, *self.picture).permute(0, 3, 1, 2)
        for layer in self.layers:
            weight = layer.weight.reshape(len(layer.weight), self.kernel, self.kernel, -1).permute(0, 3, 1, 2)
            x = F.conv2d(x, weight, layer.bias, stride=2, padding=(self.kernel - 1) // 2)
            x = F.relu(x) if self.relu else x
        return self.mlp(x.permute(0, 2, 3, 1).flatten(1))

    def tensors(self, prefix):
        for k, layer in enumerate(self.layers):
            yield f"{prefix}.convolution.{k}.weight", layer.weight
            yield f"{prefix}.convolution.{k}.bias", layer.bias
        yield from self.mlp.tensors(prefix)


def encoder(config, inputs, picture, relu):
    if config["model.convolution"] and picture is not None and picture[0] > 0:
        return Convolutions(picture, config["model.convolution"], config["model.kernel"], config["model.encoder"], relu)
    return Mlp([inputs] + config["model.encoder"], relu)


class Concat(nn.Module):
    """phi of [b_1 R_1 | ... | b_m R_m]; a modality that is absent is a row of zeros."""

    def __init__(self, modalities, features, width, classes, config):
        super().__init__()
        self.mlp = Mlp([modalities * features, width, classes], config["model.activation"] == "relu")

    def first(self):
        return self.mlp.layers[0].weight

    def forward(self, fused, batch):
        if batch.present is not None:
            fused = [x * batch.present[:, i : i + 1] for i, x in enumerate(fused)]
        return self.mlp(torch.cat(fused, dim=1)), {}

    def tensors(self):
        yield from self.mlp.tensors("phi")


class Graph(nn.Module):
    """The bipartite graph of samples and modalities: what grape and muse share."""

    def __init__(self, modalities, features, width, classes, config):
        super().__init__()
        layers, n = config["model.layers"], width
        edge_widths = [features] + [n] * (layers - 1)
        self.nodes = nn.Parameter(torch.zeros(modalities, n))
        self.message = nn.ModuleList(nn.Linear(n + d, n) for d in edge_widths)
        self.update = nn.ModuleList(nn.Linear(2 * n, n) for _ in edge_widths)
        self.edge = nn.ModuleList(nn.Linear(2 * n + d, n) for d in edge_widths[:-1])
        self.classifier = Mlp([n, n, classes], config["model.activation"] == "relu")
        self.normalize = False

    def first(self):
        return self.message[0].weight

    def next_node(self, t, mean, node):
        node = F.relu(self.update[t](torch.cat([mean, node], dim=-1)))
        return F.normalize(node, dim=-1) if self.normalize else node

    def embed(self, edges, present):
        """From edges (B x m x l) and present (B x m) to the last sample nodes (B x n) and modality nodes (m x n)."""
        count, m, _ = edges.shape
        samples, modalities = edges.new_ones(count, self.nodes.shape[1]), self.nodes
        mask = present.unsqueeze(-1)
        of_sample, of_modality = present.sum(1, keepdim=True).clamp(min=1), present.sum(0).clamp(min=1).unsqueeze(-1)
        for t, message in enumerate(self.message):
            by_sample = samples.unsqueeze(1).expand(count, m, -1)
            by_modality = modalities.unsqueeze(0).expand(count, m, -1)
            to_sample = F.relu(message(torch.cat([by_modality, edges], dim=-1))) * mask
            to_modality = F.relu(message(torch.cat([by_sample, edges], dim=-1))) * mask
            samples = self.next_node(t, to_sample.sum(1) / of_sample, samples)
            modalities = self.next_node(t, to_modality.sum(0) / of_modality, modalities)
            if t < len(self.edge):
                ends = [samples.unsqueeze(1).expand(count, m, -1), modalities.unsqueeze(0).expand(count, m, -1)]
                edges = F.relu(self.edge[t](torch.cat(ends + [edges], dim=-1)))
        return samples, modalities

    def tensors(self):
        yield "phi.nodes", self.nodes
        for part in ("message", "update", "edge"):
            for t, layer in enumerate(getattr(self, part)):
                yield f"phi.{part}.{t}.weight", layer.weight
                yield f"phi.{part}.{t}.bias", layer.bias
        yield from self.classifier.tensors("phi.classifier")


def edges_of(fused, batch):
    edges = torch.stack(fused, dim=1)
    return edges, edges.new_ones(edges.shape[:2]) if batch.present is None else batch.present


class Grape(Graph):
    """The graph, and a linear map that guesses an edge's value from its two nodes; the value itself is a constant there."""

    def __init__(self, modalities, features, width, classes, config):
        super().__init__(modalities, features, width, classes, config)
        self.impute = nn.Linear(2 * width, features)

    def forward(self, fused, batch):
        edges, present = edges_of(fused, batch)
        samples, modalities = self.embed(edges, present)
        count, m, _ = edges.shape
        ends = [samples.unsqueeze(1).expand(count, m, -1), modalities.unsqueeze(0).expand(count, m, -1)]
        error = (self.impute(torch.cat(ends, dim=-1)) - edges.detach()).square().mean(-1)
        return self.classifier(samples), {"impute": (error * present).sum() / present.sum().clamp(min=1)}

    def tensors(self):
        yield from super().tensors()
        yield "phi.impute.weight", self.impute.weight
        yield "phi.impute.bias", self.impute.bias


class Muse(Graph):
    """The graph with normalised nodes, and the contrast between it and a view of it with edges dropped (batch.view)."""

    def __init__(self, modalities, features, width, classes, config):
        super().__init__(modalities, features, width, classes, config)
        self.project = nn.Linear(width, width)
        self.normalize = config["model.normalize"]

    def contrast(self, one, other, label):
        one, other = (F.normalize(self.project(x), dim=-1) for x in (one, other))
        similarity = one @ other.T / MUSE_TEMPERATURE
        itself = torch.arange(len(label))
        same_class = (label.unsqueeze(0) == label.unsqueeze(1)).to(similarity.dtype)
        same_class = same_class / same_class.sum(1, keepdim=True)
        both_ways = lambda target: (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.T, target)) / 2
        return both_ways(itself) + both_ways(same_class)

    def forward(self, fused, batch):
        edges, present = edges_of(fused, batch)
        samples, _ = self.embed(edges, present)
        dropped, _ = self.embed(edges, batch.view)
        return self.classifier(samples), {"contrast": self.contrast(samples, dropped, batch.label)}

    def tensors(self):
        yield from super().tensors()
        yield "phi.project.weight", self.project.weight
        yield "phi.project.bias", self.project.bias


HEADS = {"concat": Concat, "grape": Grape, "muse": Muse}


def strengths(config, modalities):
    each = config["model.strength.each"]
    result = [each[min(i, len(each) - 1)] for i in range(modalities)]
    if config["model.strength.last"] is not None:
        result[-1] = config["model.strength.last"]
    return result


class Network(nn.Module):
    def __init__(self, config, inputs, classes, pictures=None):
        super().__init__()
        pictures = pictures or [None] * len(inputs)
        self.config, self.classes = config, classes
        relu, l = config["model.activation"] == "relu", config["model.encoder"][-1]
        self.used = [config["unimodal.modality"]] if config["method"] == "unimodal" else list(range(len(inputs)))
        everyone = strengths(config, len(inputs))
        self.strength = [everyone[i] for i in self.used]
        self.reallocates = config["method"] in ("ebr", "kd+ebr")
        self.distils = config["method"] in ("kd", "kd+ebr")
        self.f = nn.ModuleList(encoder(config, inputs[i], pictures[i], relu) for i in self.used)
        q = (config["ebr.latent"] or l) if self.reallocates else l
        if self.reallocates:
            hidden = config["ebr.hidden"] or l
            self.h = nn.ModuleList(Mlp([l, hidden, q], relu) for _ in self.used)
            self.h_inverse = nn.ModuleList(Mlp([q, hidden, l], relu) for _ in self.used)
            psi_inputs = q + (classes if config["ebr.psi.conditional"] else 0)
            self.psi = Mlp([psi_inputs, config["ebr.psi.hidden"], len(inputs)], relu)
        self.auxiliary = None
        if config["method"] != "unimodal" and (
            config["auxiliary.weight"] > 0 or (self.distils and config["kd.form"] == "logits")
        ):
            self.auxiliary = Mlp([q, classes])
        head = HEADS["concat" if config["method"] == "unimodal" else config["model.fusion"]]
        rebuilds = config["train.loss"] == "reconstruction"
        outputs = len(self.used) * (config["data.predictive"] + config["data.noise"]) if rebuilds else classes
        self.phi = head(len(self.used), l, config["model.width"], outputs, config)

    def encode(self, x):
        """From the inputs (one tensor a modality) to the latents G_i; without reallocation these are the F_i."""
        features = [f(x_i) for f, x_i in zip(self.f, x)]
        if not self.reallocates:
            return features
        latent = [h(z) for h, z in zip(self.h, features)]
        return [g + z for g, z in zip(latent, features)] if self.config["ebr.residual"] else latent

    def decode(self, latent):
        """From the G_i to what the head sees, b_i R_i."""
        if self.reallocates:
            decoded = [inverse(g) for inverse, g in zip(self.h_inverse, latent)]
            latent = [r + g for r, g in zip(decoded, latent)] if self.config["ebr.residual"] else decoded
        return [x if b == 1 else b * x for b, x in zip(self.strength, latent)]

    def tensors(self):
        """(name in ebrsweep, parameter); nn.Linear keeps the transpose of what ebrsweep calls a weight."""
        for i, modality in enumerate(self.used):
            yield from self.f[i].tensors(f"f.{modality}")
            if self.reallocates:
                yield from self.h[i].tensors(f"h.{i}")
                yield from self.h_inverse[i].tensors(f"h_inverse.{i}")
        yield from self.phi.tensors()
        if self.auxiliary is not None:
            yield from self.auxiliary.tensors("auxiliary")
        if self.reallocates:
            yield from self.psi.tensors("psi")


# ---- losses ----------------------------------------------------------------------------------------------------------


@dataclass
class Batch:
    x: list  # (B x d_i) of each modality that the network uses
    label: torch.Tensor  # (B)
    present: Optional[torch.Tensor] = None  # (B x m) of ones and zeros
    view: Optional[torch.Tensor] = None  # (B x m): the edges that muse's second view keeps
    target: Optional[torch.Tensor] = None  # (B x true features) of a reconstruction
    teacher_features: Optional[torch.Tensor] = None  # (B x l)
    teacher_logits: Optional[torch.Tensor] = None  # (B x C)


@dataclass
class Remedies:
    """Weights in force in one step."""

    adversary: float = 0.0  # lambda
    auxiliary: float = 0.0
    distillation: tuple = ()  # one weight a modality; 0 for the teacher


class Reverse(torch.autograd.Function):
    """The identity, whose gradient is multiplied by -factor."""

    @staticmethod
    def forward(context, x, factor):
        context.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient):
        return -context.factor * gradient, None


def semantic_loss(config, logits, batch):
    label = batch.label
    if config["train.loss"] == "reconstruction":
        return F.mse_loss(logits, batch.target)
    if config["train.loss"] == "squared":
        return 0.5 * (logits - F.one_hot(label, logits.shape[1])).square().sum(1).mean()
    return F.cross_entropy(logits, label)


def mean_present(values, batch, modality=None):
    """Mean over the rows that are there: values (m B), modality-major, or (B) of one modality."""
    if batch.present is None:
        return values.mean()
    weight = batch.present.T.reshape(-1) if modality is None else batch.present[:, modality]
    return (values * weight).sum() / weight.sum().clamp(min=1)


class Adversary:
    """psi and what the encoders get from it."""

    def __init__(self, network):
        self.network, self.config = network, network.config
        self.modalities = len(network.used)

    def rows(self, latent, batch):
        rows = torch.cat(latent)
        if self.config["ebr.psi.conditional"]:
            label = F.one_hot(batch.label, self.network.classes).to(rows.dtype).repeat(self.modalities, 1)
            rows = torch.cat([rows, label], dim=1)
        return rows

    def discrimination(self, logits, batch):
        which = torch.arange(self.modalities).repeat_interleave(len(batch.label))
        return mean_present(F.cross_entropy(logits, which, reduction="none"), batch)

    def psi_loss(self, latent, batch):
        return self.discrimination(self.network.psi(self.rows([g.detach() for g in latent], batch)), batch)

    def losses(self, latent, batch, strength):
        """L_md with the gradients that psi descends, and what is added to the encoders' objective (or None)."""
        form, psi = self.config["ebr.form"], self.network.psi
        if strength == 0:
            return self.psi_loss(latent, batch), None
        if form == "reversal":
            reversed_rows = Reverse.apply(self.rows(latent, batch), strength)
            return self.discrimination(psi(reversed_rows), batch), None
        logits = psi(self.rows(latent, batch), frozen=True)
        if form == "hinge":
            term = -self.discrimination(logits, batch).clamp(max=math.log(self.modalities))
        else:
            term = mean_present(-F.log_softmax(logits, dim=1).mean(1), batch)
        return self.psi_loss(latent, batch), strength * term


def distillation_losses(network, latent, auxiliary_logits, batch, weights):
    """Of each student: (weight, loss)."""
    form, temperature = network.config["kd.form"], network.config["kd.temperature"]
    for i, weight in enumerate(weights):
        if weight == 0:
            continue
        if form == "mse":
            each = (latent[i] - batch.teacher_features).square().sum(1)
        elif form == "cosine":
            each = 1 - F.cosine_similarity(latent[i], batch.teacher_features, dim=1)
        else:
            student = F.log_softmax(auxiliary_logits[i] / temperature, dim=1)
            teacher = F.softmax(batch.teacher_logits / temperature, dim=1)
            each = temperature**2 * F.kl_div(student, teacher, reduction="none").sum(1)
        yield weight, mean_present(each, batch, i)


def all_losses(network, adversary, latent, batch, remedies):
    """The losses of a batch by name, and their sum as the parameters descend it (autograd tells them apart)."""
    config, zero = network.config, 0.0
    logits, extra = network.phi(network.decode(latent), batch)
    losses = {"semantic": semantic_loss(config, logits, batch), **extra}
    total = losses["semantic"]
    total = total + config["model.contrast"] * extra["contrast"] if "contrast" in extra else total
    total = total + config["model.impute"] * extra["impute"] if "impute" in extra else total
    if network.reallocates:
        losses["discrimination"], term = adversary.losses(latent, batch, remedies.adversary)
        total = total + losses["discrimination"] + (zero if term is None else term)
    auxiliary_logits = None
    if network.auxiliary is not None:
        auxiliary_logits = [network.auxiliary(g) for g in latent]
        each = F.cross_entropy(torch.cat(auxiliary_logits), batch.label.repeat(len(latent)), reduction="none")
        losses["auxiliary"] = mean_present(each, batch)
        total = total + remedies.auxiliary * losses["auxiliary"]
    if network.distils:
        students = list(distillation_losses(network, latent, auxiliary_logits, batch, remedies.distillation))
        losses["distillation"] = sum(loss for _, loss in students)
        total = total + sum(weight * loss for weight, loss in students)
    return losses, total


# ---- training --------------------------------------------------------------------------------------------------------


class Decayed:
    """An optimiser of torch's with decoupled weight decay that spares biases."""

    def __init__(self, config, tensors, rate, foreach=None):
        weights = [p for name, p in tensors if "bias" not in name]
        biases = [p for name, p in tensors if "bias" in name]
        self.weights, decay = weights, config["train.weight_decay"]
        self.shrink = 1.0
        if config["train.optimizer"] == "sgd":
            # torch's own decay for SGD is not decoupled
            self.shrink = 1 - rate * decay
            self.own = torch.optim.SGD(weights + biases, lr=rate, momentum=config["train.momentum"], foreach=foreach)
            return
        adam = {"lr": rate, "betas": (config["train.beta1"], config["train.beta2"]), "eps": config["train.epsilon"]}
        if decay == 0:
            self.own = torch.optim.Adam(weights + biases, **adam, foreach=foreach)
            return
        groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
        self.own = torch.optim.AdamW(groups, **adam, foreach=foreach)

    def zero_grad(self):
        self.own.zero_grad(set_to_none=True)

    def step(self):
        if self.shrink != 1:
            with torch.no_grad():
                for weight in self.weights:
                    weight.mul_(self.shrink)
        self.own.step()


class Trainer:
    def __init__(self, network, foreach=None):
        self.network, config = network, network.config
        self.config = config
        self.adversary = Adversary(network)
        named = list(network.tensors())
        of_psi = [(name, p) for name, p in named if name.startswith("psi.")]
        self.main = Decayed(config, [(n, p) for n, p in named if not n.startswith("psi.")], config["train.rate"], foreach)
        self.psi = None
        if of_psi:
            rate = config["train.rate"] if config["ebr.psi.rate"] is None else config["ebr.psi.rate"]
            self.psi = Decayed(config, of_psi, rate, foreach)

    def train_psi(self, latent, batch):
        self.psi.zero_grad()
        self.adversary.psi_loss(latent, batch).backward()
        self.psi.step()

    def step(self, batch, remedies):
        """One mini-batch; the losses before the update, by name, as tensors."""
        latent = self.network.encode(batch.x)
        if self.psi:
            for _ in range(self.config["ebr.psi.steps"] - 1):
                self.train_psi(latent, batch)
            self.psi.zero_grad()
        self.main.zero_grad()
        losses, total = all_losses(self.network, self.adversary, latent, batch, remedies)
        if self.config["train.l1"] > 0:
            total = total + self.config["train.l1"] * self.network.phi.first().abs().sum()
        total.backward()
        self.main.step()
        if self.psi:
            self.psi.step()
        return losses


def remedies_at(config, modalities, step, steps, teacher=None, order=None):
    """The weights in force at a step of steps in all: lambda's ramp, and students that start one after the other."""
    progress = step / steps if steps else 0.0
    ramp = min(1.0, progress / config["ebr.ramp"]) if config["ebr.ramp"] > 0 else 1.0
    distillation = [0.0] * modalities
    if teacher is not None:
        students = [i for i in order if i != teacher]
        if config["kd.order"] == "weak-first":
            students.reverse()
        for place, student in enumerate(students):
            if config["kd.order"] == "together" or progress * len(students) >= place:
                distillation[student] = config["kd.weight"]
    return Remedies(config["ebr.lambda"] * ramp, config["auxiliary.weight"], tuple(distillation))
