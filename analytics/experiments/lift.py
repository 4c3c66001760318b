"""What a mail brought: those who could have got it beside those who were held out, by intention to treat.

Everybody counts in the group that they were drawn for, whether their mail arrived or not. Leaving out mails that
bounced, or people who never opened, would compare the reachable with everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

#: The normal quantile of an interval of 95 %.
Z = 1.959963984540054


@dataclass(frozen=True)
class Group:
    """Everybody who was drawn for one group.

    Attributes:
        people: how many were drawn.
        converted: how many of them reached a goal.
        paid: how many of them are known with an amount.
        total, squares: the sum of their amounts, and of the squares; who spent nothing adds nothing.
    """

    people: int
    converted: int
    paid: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def rate(self) -> float:
        """The share of people who reached a goal."""
        return self.converted / self.people if self.people else 0.0

    @property
    def mean(self) -> float:
        """The amount of a person, those who spent nothing too."""
        return self.total / self.people if self.people else 0.0

    @property
    def variance_of_mean(self) -> float:
        """The square of the mean's standard error; needs two people."""
        return max(0.0, self.squares - self.total * self.mean) / (self.people - 1) / self.people


@dataclass(frozen=True)
class Difference:
    """One group less the other, with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves "no difference" out."""
        return self.low > 0 or self.high < 0


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % score interval of a rate (E. B. Wilson, JASA 22, 1927); it stays within 0 and 1."""
    if not trials:
        return 0.0, 1.0
    rate = min(successes / trials, 1.0)
    centre = (rate + Z * Z / (2 * trials)) / (1 + Z * Z / trials)
    half = Z * sqrt(rate * (1 - rate) / trials + Z * Z / (4 * trials * trials)) / (1 + Z * Z / trials)
    return max(0.0, centre - half), min(1.0, centre + half)


def difference_of_rates(mailed: Group, held_out: Group) -> Difference:
    """Return how much more of the mailed reached a goal, a share of 1.

    Newcombe's hybrid score interval (method 10 of R. G. Newcombe, "Interval estimation for the difference between
    independent proportions", Statistics in Medicine 17, 1998), made of both groups' Wilson intervals. It holds for
    small groups, for groups of very different sizes, and where nobody converted.
    """
    difference = mailed.rate - held_out.rate
    low, high = wilson(mailed.converted, mailed.people)
    low_out, high_out = wilson(held_out.converted, held_out.people)
    return Difference(
        difference,
        difference - sqrt((mailed.rate - low) ** 2 + (high_out - held_out.rate) ** 2),
        difference + sqrt((high - mailed.rate) ** 2 + (held_out.rate - low_out) ** 2),
    )


def difference_of_means(mailed: Group, held_out: Group) -> Difference | None:
    """Return how much more a mailed person spent, in the unit of the amounts; None with fewer than two in a group.

    The difference of two means with unequal variances (B. L. Welch, Biometrika 34, 1947), its interval by the central
    limit theorem: amounts are skewed, so it wants payers in both groups.
    """
    if min(mailed.people, held_out.people) < 2:
        return None
    difference = mailed.mean - held_out.mean
    half = Z * sqrt(mailed.variance_of_mean + held_out.variance_of_mean)
    return Difference(difference, difference - half, difference + half)
