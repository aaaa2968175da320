"""Variance-based sensitivity from given data: which conditions decide over an outcome that seeds blur.

An outcome is a matrix (points x seeds). Its variance splits into that between points and that between seeds (one-way random
effects); indices are shares of the first alone. First-order indices come twice, by two paths that share no code: by binning
(analysis of variance of each condition's bins), and from a sparse polynomial chaos expansion, which gives total indices too
(Sudret, Reliability Engineering & System Safety 93, 2008). Its terms are found by orthogonal matching pursuit, their number by
five-fold cross-validation. Products of up to three conditions are among the candidates; what the expansion misses is reported,
so that a total index is read as a lower bound by as much.
"""
from dataclasses import dataclass
from itertools import combinations

import numpy as np

TERMS_MOST, FOLDS = 120, 5
RESAMPLES = 400
LEVELS_MOST = 20  # bins of a condition; those with fewer values have a bin a value


@dataclass
class Condition:
    name: str
    values: np.ndarray  # (points): numbers, or codes of kinds
    kinds: tuple = ()   # the words behind the codes; empty for numbers


@dataclass
class Variance:
    between: float  # of the true outcome over points
    seeds: float    # of one run around its point's

    @property
    def share_of_seeds(self):
        return self.seeds / (self.between + self.seeds) if self.between + self.seeds > 0 else np.nan


@dataclass
class Surrogate:
    terms: list            # ((condition, basis column), ...) of each term
    matrix: np.ndarray     # (points x 1 + terms)
    weights: np.ndarray    # (1 + terms)
    r2: float              # cross-validated, of point means
    errors: np.ndarray     # squared standard errors of the weights

    def predicted(self):
        return self.matrix @ self.weights


def ranks(values):
    """In (-1, 1), the same for equal values: what was drawn log-uniformly becomes uniform."""
    _, first, count = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count - 1) / 2
    return 2 * (middle[first] - 0.5) / len(values) - 1


def basis(condition, degree):
    """Columns that are orthonormal over the points and orthogonal to 1: polynomials of the rank, or contrasts of kinds."""
    levels = np.unique(condition.values)
    degree = min(degree, len(levels) - 1)
    if condition.kinds:
        raw = np.stack([condition.values == level for level in levels[1:]], axis=1).astype(float)
    else:
        raw = np.polynomial.legendre.legvander(ranks(condition.values), degree)[:, 1:]
    count = len(condition.values)
    q, r = np.linalg.qr(np.column_stack([np.ones(count), raw]))
    return q[:, 1:] * np.sign(np.diag(r)[1:]) * np.sqrt(count)


def candidates(conditions, main, pair, triple):
    """All terms: powers up to `main`, products of two up to total degree `pair`, of three first powers if `triple`."""
    bases = [basis(condition, max(main, pair)) for condition in conditions]
    terms, columns = [], []

    def order(i, a):
        return 1 if conditions[i].kinds else a + 1  # the contrasts of kinds have no order

    def add(*parts):
        terms.append(parts)
        columns.append(np.prod([bases[i][:, a] for i, a in parts], axis=0))

    for i, own in enumerate(bases):
        for a in range(own.shape[1]):
            if order(i, a) <= main:
                add((i, a))
    for i, j in combinations(range(len(bases)), 2):
        for a in range(bases[i].shape[1]):
            for b in range(bases[j].shape[1]):
                if order(i, a) + order(j, b) <= pair:
                    add((i, a), (j, b))
    for i, j, k in combinations(range(len(bases)), 3) if triple else ():
        for a in range(bases[i].shape[1]):
            for b in range(bases[j].shape[1]):
                for c in range(bases[k].shape[1]):
                    if order(i, a) == order(j, b) == order(k, c) == 1:
                        add((i, a), (j, b), (k, c))
    return terms, np.column_stack(columns)


def pursue(columns, y, most):
    """Orthogonal matching pursuit: which columns, in the order in which they explain most of what is left."""
    residual = y - y.mean()
    left = columns - columns.mean(axis=0)
    chosen = []
    for _ in range(most):
        size = np.einsum("ij,ij->j", left, left)
        size[chosen] = 0
        gain = np.where(size > 1e-9 * len(y), (left.T @ residual) ** 2 / np.maximum(size, 1e-300), 0)
        best = int(np.argmax(gain))
        if gain[best] <= 1e-12 * max(np.sum(y**2), 1e-300):
            break
        chosen.append(best)
        unit = left[:, best] / np.sqrt(size[best])
        residual = residual - unit * (unit @ residual)
        left = left - np.outer(unit, unit @ left)
    return chosen


def least_squares(matrix, y):
    return np.linalg.lstsq(matrix, y, rcond=None)[0]


def with_ones(columns):
    return np.column_stack([np.ones(len(columns)), columns])


def held_out_errors(columns, y, most, random):
    """Squared error summed over points that were held out, by number of terms 0 .. most. Each fold chooses its own terms."""
    fold = random.permutation(len(y)) % FOLDS
    errors = np.zeros(most + 1)
    for k in range(FOLDS):
        fit, out = fold != k, fold == k
        chosen = pursue(columns[fit], y[fit], most)
        for count in range(most + 1):
            own = chosen[:count]
            weights = least_squares(with_ones(columns[fit][:, own]), y[fit])
            errors[count] += np.sum((y[out] - with_ones(columns[out][:, own]) @ weights) ** 2)
    return errors


def expand(conditions, y, main=6, pair=4, triple=True, most=TERMS_MOST):
    """The sparse expansion of y (points)."""
    terms, columns = candidates(conditions, main, pair, triple)
    most = min(most, len(y) // 5)
    errors = held_out_errors(columns, y, most, np.random.default_rng(0))
    chosen = pursue(columns, y, int(np.argmin(errors)))
    matrix = with_ones(columns[:, chosen])
    weights = least_squares(matrix, y)
    noise = np.sum((y - matrix @ weights) ** 2) / max(len(y) - matrix.shape[1], 1)
    spread = np.diag(np.linalg.pinv(matrix.T @ matrix)) * noise
    r2 = 1 - errors.min() / np.sum((y - y.mean()) ** 2) if np.ptp(y) > 0 else 0.0
    return Surrogate([terms[c] for c in chosen], matrix, weights, float(r2), spread)


def split_variance(outcome):
    """Between these points and between seeds. NaN is a run that is missing, and a point needs one that is not."""
    count = np.sum(np.isfinite(outcome), axis=1)
    mean = np.nanmean(outcome, axis=1)
    inside = np.nansum((outcome - mean[:, None]) ** 2)
    degrees = np.sum(count - 1)
    seeds = inside / degrees if degrees > 0 else 0.0
    return Variance(max(np.var(mean) - seeds * np.mean(1 / count) * (1 - 1 / len(mean)), 0.0), seeds)


def bins_of(condition, most=LEVELS_MOST):
    """A bin's number for each point: a value each, or slices of as many points. At least some forty points a bin."""
    levels, codes = np.unique(condition.values, return_inverse=True)
    most = max(2, min(most, len(codes) // 40))
    if condition.kinds or len(levels) <= most:
        return codes
    return np.minimum(((ranks(condition.values) + 1) / 2 * most).astype(int), most - 1)


def binned(codes, y):
    """Variance of the true bin means by the analysis of variance, without that which chance alone gives them."""
    count = np.bincount(codes).astype(float)
    kept = count > 0
    total = np.bincount(codes, weights=y)[kept]
    square = np.bincount(codes, weights=y**2)[kept]
    count = count[kept]
    groups, points = len(count), count.sum()
    if groups < 2 or points <= groups:
        return 0.0
    within = np.sum(square - total**2 / count) / (points - groups)
    return (np.sum(total**2 / count) - total.sum() ** 2 / points - (groups - 1) * within) / points


def shares(surrogate, weights, errors, conditions):
    """(first, total) variance of each condition, less what chance adds to squared weights."""
    first, total = np.zeros(len(conditions)), np.zeros(len(conditions))
    for parts, weight, error in zip(surrogate.terms, weights[1:], errors[1:]):
        involved = {i for i, _ in parts}
        for i in involved:
            total[i] += weight**2 - error
            if len(involved) == 1:
                first[i] += weight**2 - error
    return first, total


def interval(estimate, resampled):
    """95 %, by the quantiles of a resample around the mean of all: a resample repeats points, which shifts them all alike."""
    low, high = np.nanquantile(resampled - np.nanmean(resampled, axis=0), [0.025, 0.975], axis=0)
    return np.stack([estimate + low, estimate + high], axis=-1)


def indices(conditions, outcome, resamples=RESAMPLES, **degrees):
    """Everything that is reported of an outcome (points x seeds); each point has at least one finite value."""
    mean = np.nanmean(outcome, axis=1)
    variance = split_variance(outcome)
    surrogate = expand(conditions, mean, **degrees)
    codes = [bins_of(condition) for condition in conditions]

    def estimate(rows, weights, errors, between):
        first, total = shares(surrogate, weights, errors, conditions)
        by_bins = np.array([binned(own[rows], mean[rows]) for own in codes])
        return np.stack([by_bins, first, total]) / between if between > 0 else np.full((3, len(conditions)), np.nan)

    everything = np.arange(len(mean))
    found = estimate(everything, surrogate.weights, surrogate.errors, variance.between)
    random = np.random.default_rng(1)
    again = []
    for _ in range(resamples):
        rows = random.integers(0, len(mean), len(mean))
        weights = least_squares(surrogate.matrix[rows], mean[rows])
        again.append(estimate(rows, weights, surrogate.errors, split_variance(outcome[rows]).between))
    limits = interval(found, np.array(again))
    explained = np.sum(surrogate.weights[1:] ** 2 - surrogate.errors[1:])
    return {"mean": float(mean.mean()), "points": len(mean), "variance_between": variance.between,
            "variance_seeds": variance.seeds, "share_of_seeds": variance.share_of_seeds,
            "r2": surrogate.r2, "r2_most": variance.between / np.var(mean) if np.ptp(mean) > 0 else np.nan,
            "terms": len(surrogate.terms), "explained": float(explained / variance.between) if variance.between else np.nan,
            "predicted": surrogate.predicted(),
            "conditions": [{"name": condition.name,
                            **{kind: {"value": float(found[k, i]), "interval": limits[k, i].tolist()}
                               for k, kind in enumerate(("binned", "first", "total"))}}
                           for i, condition in enumerate(conditions)]}
