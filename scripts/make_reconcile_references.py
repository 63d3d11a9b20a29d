#!/usr/bin/env python3
"""Makes tests/data/forecast/reconcile_references.txt: reconciled forecasts by the dense textbook formulas.

Usage: make_reconcile_references.py OUT   (Python with numpy)
S (S' W^-1 S)^-1 S' W^-1 f with every matrix written out, shrinkage by loops over pairs of nodes, non-negative
forecasts by trying every set of leaves at zero. tests/forecast/reconcile_test.cpp makes the same inputs.
"""
import itertools
import sys

import numpy as np

LEAVES, STEPS, ERRORS = 8, 2, 12


def noise(seed):
    """Numerical Recipes' linear congruential generator, as shares of 2^32."""
    state = seed
    while True:
        state = (1664525 * state + 1013904223) % 2**32
        yield state / 2**32


def structure():
    """Total, two countries, three categories that cross them, leaves."""
    rows = [np.ones(LEAVES)]
    rows += [np.array([float((leaf >= 5) == country) for leaf in range(LEAVES)]) for country in (0, 1)]
    rows += [np.array([float(leaf % 3 == category) for leaf in range(LEAVES)]) for category in range(3)]
    return np.vstack([*rows, np.eye(LEAVES)])


def inputs(summing):
    u = noise(7)
    nodes = len(summing)
    forecast = np.empty((nodes, STEPS))
    for node in range(nodes):
        size = float(summing[node] @ np.arange(1, LEAVES + 1))
        for step in range(STEPS):
            forecast[node, step] = 10 * size * (0.5 + next(u))
    error = np.empty((nodes, ERRORS))
    leaf_error = np.array([[(leaf + 1) * (next(u) + next(u) - 1) for _ in range(ERRORS)] for leaf in range(LEAVES)])
    for node in range(nodes):
        own = [next(u) - 0.5 for _ in range(ERRORS)]
        error[node] = summing[node] @ leaf_error + own
    return forecast, error


def shrunk(error):
    """Schaefer & Strimmer 2005 with mean 0, as in the R package hts."""
    nodes, count = error.shape
    covariance = error @ error.T / count
    x = error / np.sqrt(np.diag(covariance))[:, None]
    above = below = 0.0
    for i, j in itertools.permutations(range(nodes), 2):
        product = x[i] * x[j]
        above += (np.sum(product**2) - np.sum(product) ** 2 / count) / (count * (count - 1))
        below += (np.sum(product) / count) ** 2
    share = min(max(above / below, 0.0), 1.0)
    return share, share * np.diag(np.diag(covariance)) + (1 - share) * covariance


def least(summing, weight, forecast):
    inverse = np.linalg.inv(weight)
    return np.linalg.solve(summing.T @ inverse @ summing, summing.T @ inverse @ forecast)


def least_non_negative(summing, weight, forecast):
    inverse = np.linalg.inv(weight)
    best, best_cost = None, np.inf
    for kept in itertools.product((False, True), repeat=LEAVES):
        kept = np.array(kept)
        leaves = np.zeros(LEAVES)
        if kept.any():
            leaves[kept] = least(summing[:, kept], weight, forecast)
        gap = forecast - summing @ leaves
        cost = gap @ inverse @ gap
        if leaves.min() >= 0 and cost < best_cost:
            best, best_cost = leaves, cost
    return best


def main():
    summing = structure()
    forecast, error = inputs(summing)
    share, covariance = shrunk(error)
    weights = {
        "ols": np.eye(len(summing)),
        "wls_struct": np.diag(summing.sum(axis=1)),
        "wls_var": np.diag(np.mean(error**2, axis=1)),
        "mint_shrink": covariance,
    }
    lowered = forecast.copy()
    lowered[-LEAVES:][::2] -= 60  # the base forecasts of every other leaf
    lines = [f"shrinkage {float(share)!r}"]
    for name, weight in weights.items():
        leaves = np.column_stack([least(summing, weight, forecast[:, step]) for step in range(STEPS)])
        lines.append(f"{name} " + " ".join(repr(float(v)) for v in (summing @ leaves).ravel()))
        leaves = np.column_stack([least_non_negative(summing, weight, lowered[:, step]) for step in range(STEPS)])
        lines.append(f"{name}_non_negative " + " ".join(repr(float(v)) for v in (summing @ leaves).ravel()))
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
