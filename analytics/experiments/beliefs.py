"""What is believed of one variant after some data: a distribution over its rate, or over its mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

Numbers = NDArray[np.float64]


class Belief(Protocol):
    """A distribution over what a variant is worth; `density` and `below` take and give arrays."""

    @property
    def mean(self) -> float:
        """The expected worth."""
        ...

    def density(self, worths: Numbers) -> Numbers:
        """Return the density at each worth."""
        ...

    def below(self, worths: Numbers) -> Numbers:
        """Return the probability of being worth less, for each worth."""
        ...

    def quantile(self, probabilities: Numbers) -> Numbers:
        """Return the worth below which each probability lies."""
        ...


@dataclass(frozen=True)
class RateBelief:
    """A rate: Beta(1 + converted, 1 + exposed - converted), which is Bayes' rule from a uniform prior.

    Source: Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4.
    """

    exposed: int
    converted: int

    def __post_init__(self) -> None:
        """Raises `ValueError` for counts that cannot be."""
        if not 0 <= self.converted <= self.exposed:
            raise ValueError("converted people are some of those who were exposed")

    @cached_property
    def _a(self) -> float:
        return 1.0 + self.converted

    @cached_property
    def _b(self) -> float:
        return 1.0 + self.exposed - self.converted

    @property
    def mean(self) -> float:
        """The expected rate, a share of 1."""
        return self._a / (self._a + self._b)

    def density(self, worths: Numbers) -> Numbers:
        """Return the density at each rate."""
        log = special.xlogy(self._a - 1, worths) + special.xlog1py(self._b - 1, -worths)
        return np.asarray(np.exp(log - special.betaln(self._a, self._b)))

    def below(self, worths: Numbers) -> Numbers:
        """Return the probability of a lower rate."""
        return np.asarray(special.betainc(self._a, self._b, worths))

    def quantile(self, probabilities: Numbers) -> Numbers:
        """Return the rates at these probabilities."""
        return np.asarray(special.betaincinv(self._a, self._b, probabilities))


@dataclass(frozen=True)
class MeanBelief:
    """A mean of amounts, such as revenue a recipient: normal around the sample's mean, by the central limit theorem.

    Attributes:
        exposed: people, those who spent nothing too.
        total, squares: the sum of their amounts, and of the squares.
    """

    exposed: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """The mean amount of a person."""
        return self.total / self.exposed if self.exposed else 0.0

    @cached_property
    def variance_of_mean(self) -> float:
        """The square of the standard error; infinite while it cannot be known."""
        if self.exposed < 2:
            return float("inf")
        spread = max(0.0, self.squares - self.total * self.mean) / (self.exposed - 1)
        return spread / self.exposed or float("inf")

    @cached_property
    def _error(self) -> float:
        # Nobody spent anything yet: as wide as the data are poor, so that no variant looks certain.
        return sqrt(self.variance_of_mean) if self.variance_of_mean != float("inf") else max(1.0, abs(self.mean))

    def density(self, worths: Numbers) -> Numbers:
        """Return the density at each mean."""
        scaled = (worths - self.mean) / self._error
        return np.asarray(np.exp(-0.5 * scaled**2) / (self._error * sqrt(2 * np.pi)))

    def below(self, worths: Numbers) -> Numbers:
        """Return the probability of a lower mean."""
        return np.asarray(special.ndtr((worths - self.mean) / self._error))

    def quantile(self, probabilities: Numbers) -> Numbers:
        """Return the means at these probabilities."""
        return self.mean + self._error * np.asarray(special.ndtri(probabilities))
