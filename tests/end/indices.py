#!/usr/bin/env python3
"""Sensitivity indices against closed forms: Ishigami's function, Sobol's g function, and an outcome that is noise alone."""
# processors: 1
import os
import sys

import numpy as np
from scipy.stats import qmc

sys.path.insert(0, os.path.join(os.environ["SOURCE"], "analysis"))
import indices  # noqa: E402

POINTS, SEEDS, RESAMPLES = 2000, 5, 40


def points(dimensions):
    return qmc.Sobol(dimensions, seed=3).random(2048)[:POINTS]


def conditions(x):
    return [indices.Condition(f"x{i}", own) for i, own in enumerate(x.T)]


def blurred(y, deviation):
    return y[:, None] + deviation * np.random.default_rng(7).standard_normal((POINTS, SEEDS))


def check(found, first, total, within):
    """Against the closed form; the tolerance is about three standard errors of 2000 points, and what degrees leave out."""
    for i, own in enumerate(found["conditions"]):
        print(own, first[i], total[i])
        assert abs(own["binned"]["value"] - first[i]) < within, own
        assert abs(own["first"]["value"] - first[i]) < within, own
        assert abs(own["total"]["value"] - total[i]) < within, own


# Ishigami & Homma 1990, a = 7, b = 0.1: V1 = (1 + b pi^4 / 5)^2 / 2, V2 = a^2 / 8, V13 = 8 b^2 pi^8 / 225. Seeds blur it by
# as much variance as it has, and the indices must not feel that.
u = points(3)
x = np.pi * (2 * u - 1)
y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
V1, V2, V13 = (1 + 0.1 * np.pi**4 / 5) ** 2 / 2, 49 / 8, 8 * 0.01 * np.pi**8 / 225
V = V1 + V2 + V13
found = indices.indices(conditions(u), blurred(y, np.sqrt(V)), RESAMPLES, main=10, pair=10)
check(found, np.array([V1, V2, 0]) / V, np.array([V1 + V13, V2, V13]) / V, 0.04)
assert abs(found["share_of_seeds"] - 0.5) < 0.02, found["share_of_seeds"]
assert abs(found["variance_between"] / V - 1) < 0.03
assert 0.78 < found["r2"] < found["r2_most"] + 0.02 and abs(found["r2_most"] - 5 / 6) < 0.01, found
for own, truth in zip(found["conditions"], np.array([V1 + V13, V2, V13]) / V):
    low, high = own["total"]["interval"]
    assert low < own["total"]["value"] < high and low - 0.03 < truth < high + 0.03, own

# Sobol's g function: V_i = (1/3) / (1 + a_i)^2, 1 + V = product (1 + V_i), T_i = V_i product over others (1 + V_j) / V.
a = np.array([0, 1, 4.5, 9, 99, 99])
u = points(6)
y = np.prod((np.abs(4 * u - 2) + a) / (1 + a), axis=1)
own = 1 / 3 / (1 + a) ** 2
V = np.prod(1 + own) - 1
found = indices.indices(conditions(u), blurred(y, 0.2), RESAMPLES, main=10, pair=8)
check(found, own / V, own * np.prod(1 + own) / (1 + own) / V, 0.04)
assert found["r2"] > 0.9, found["r2"]

# A kind (three words) and a switch: y = c(kind) (1 + s switch), switch = +-1, all by hand.
random = np.random.default_rng(11)
kind, switch = random.integers(0, 3, POINTS), random.integers(0, 2, POINTS)
c, s = np.array([0.0, 1.0, 5.0]), 0.5
y = c[kind] * (1 + s * (2 * switch - 1))
V1, V2, V12 = c.var(), s**2 * c.mean() ** 2, s**2 * c.var()
V = V1 + V2 + V12
found = indices.indices([indices.Condition("kind", kind, ("a", "b", "c")), indices.Condition("switch", switch, ("no", "yes")),
                         indices.Condition("idle", random.random(POINTS))], blurred(y, 0.5), RESAMPLES)
check(found, np.array([V1, V2, 0]) / V, np.array([V1 + V12, V2 + V12, 0]) / V, 0.04)
assert abs(found["explained"] - 1) < 0.02 and found["r2"] > 0.95

# Nothing but seeds: no condition explains anything, and seeds explain all.
found = indices.indices(conditions(points(4)), blurred(np.zeros(POINTS), 1.0), RESAMPLES)
assert found["share_of_seeds"] > 0.97 and found["r2"] < 0.01, found
