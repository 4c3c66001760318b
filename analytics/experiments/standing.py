"""How variants stand against each other: who is probably best, and what a wrong choice would cost.

Computed by quadrature, not by drawing lots: the same data always give the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.experiments.beliefs import Belief, Numbers

#: Of the interval that is shown: 95 % of the belief lies in it.
INTERVAL = (0.025, 0.975)
#: Where the cells of the quadrature meet, as probabilities of each variant's own belief.
_CUTS = np.concatenate(([1e-13, 1e-9, 1e-6, 1e-4], np.linspace(0.001, 0.999, 41), [1 - 1e-4, 1 - 1e-6, 1 - 1e-9]))
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class Standing:
    """One variant beside the others.

    Attributes:
        mean: the expected worth.
        low, high: the credible interval of 95 %.
        is_best: the probability that no other variant is worth more, a share of 1.
        loss: what is given up on average by choosing it, in the unit of the worth
            (Stucchio, "Bayesian A/B Testing at VWO", 2015).
    """

    mean: float
    low: float
    high: float
    is_best: float
    loss: float


def compare(beliefs: Sequence[Belief]) -> list[Standing]:
    """Return how each variant stands; probabilities to be best add up to 1.

    P(i is best) is the integral of f_i times the product of all other F_j; the loss of i is the expected best minus the
    mean of i, taken as the integral of F_i minus the product of all F_j, which keeps its digits when both are close.
    """
    nodes, weights = _grid(beliefs)
    below = np.stack([belief.below(nodes) for belief in beliefs])
    best = np.array(
        [
            float(np.sum(weights * belief.density(nodes) * np.prod(np.delete(below, index, axis=0), axis=0)))
            for index, belief in enumerate(beliefs)
        ]
    )
    everybody = np.prod(below, axis=0)
    losses = np.sum(weights * (below - everybody), axis=1)
    intervals = [belief.quantile(np.array(INTERVAL)) for belief in beliefs]
    return [
        Standing(
            belief.mean,
            low=float(low),
            high=float(high),
            is_best=float(probability),
            loss=max(0.0, float(loss)),
        )
        for belief, (low, high), probability, loss in zip(beliefs, intervals, best / best.sum(), losses, strict=True)
    ]


def _grid(beliefs: Sequence[Belief]) -> tuple[Numbers, Numbers]:
    """Return nodes and weights of Gauss-Legendre cells that are fine wherever some belief has its mass."""
    edges = np.unique(np.concatenate([belief.quantile(_CUTS) for belief in beliefs]))
    half = np.diff(edges)[:, None] / 2
    middle = (edges[:-1] + edges[1:])[:, None] / 2
    return (middle + half * _NODES).ravel(), (half * _WEIGHTS).ravel()
