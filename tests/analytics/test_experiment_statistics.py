"""The statistics of A/B tests against exact computation, published values and their own guarantees."""

from __future__ import annotations

from fractions import Fraction
from math import comb, exp, factorial, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from analytics.experiments.bandit import next_shares
from analytics.experiments.beliefs import MeanBelief, RateBelief
from analytics.experiments.evidence import (
    Count,
    concentration_for,
    has_broken_split,
    log_mean_evidence,
    log_multinomial_evidence,
    log_pair_evidence,
    log_threshold,
)
from analytics.experiments.planning import needed_people
from analytics.experiments.standing import compare
from analytics.experiments.verdict import Rule, State, judge, judge_waves
from analytics.experiments.waves import even_out, even_out_means, has_broken_waves, log_wave_evidence

HALVES = (0.5, 0.5)


@st.composite
def rates(draw: st.DrawFn) -> RateBelief:
    exposed = draw(st.integers(0, 5000))
    return RateBelief(exposed, draw(st.integers(0, exposed)))


def exact_probability_that_the_second_is_better(first: RateBelief, second: RateBelief) -> float:
    """The closed form for whole numbers of conversions (Miller, "Formulas for Bayesian A/B Testing", 2015)."""
    a, b = first.converted + 1, first.exposed - first.converted + 1
    c, d = second.converted + 1, second.exposed - second.converted + 1

    def beta(x: int, y: int) -> Fraction:
        return Fraction(factorial(x - 1) * factorial(y - 1), factorial(x + y - 1))

    total = sum((beta(a + i, b + d) / ((d + i) * beta(1 + i, d) * beta(a, b)) for i in range(c)), Fraction(0))
    return float(total)


# --- beliefs and standings ------------------------------------------------------------------------------------------
def test_a_published_interval_comes_out() -> None:
    # Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4: 437 girls of 980 births.
    (standing, _) = compare([RateBelief(980, 437), RateBelief(980, 437)])
    assert round(standing.mean, 3) == 0.446
    assert (round(standing.low, 3), round(standing.high, 3)) == (0.415, 0.477)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_the_probability_to_be_best_is_the_closed_form(a: int, b: int, c: int, d: int) -> None:
    first, second = RateBelief(a + b, a), RateBelief(c + d, c)
    exact = exact_probability_that_the_second_is_better(first, second)
    assert compare([first, second])[1].is_best == pytest.approx(exact, abs=1e-8)


@settings(max_examples=60, deadline=None)
@given(st.lists(rates(), min_size=2, max_size=5))
def test_probabilities_add_up_and_losses_and_intervals_are_possible(beliefs: list[RateBelief]) -> None:
    standings = compare(beliefs)
    assert sum(standing.is_best for standing in standings) == pytest.approx(1, abs=1e-9)
    for standing in standings:
        assert 0 <= standing.low < standing.mean < standing.high <= 1
        assert standing.loss >= 0
    most = max(standing.mean for standing in standings)
    for standing in standings:
        assert standing.loss >= most - standing.mean - 1e-9, "the loss is at least what the best mean has more"


def test_the_loss_is_the_expected_difference() -> None:
    first, second = RateBelief(200, 10), RateBelief(200, 16)
    exact = stats.beta(17, 185).expect(
        lambda y: stats.beta(11, 191).expect(lambda x: max(y - x, 0.0), lb=0, ub=float(y)), lb=0, ub=0.4
    )
    assert compare([first, second])[0].loss == pytest.approx(exact, rel=1e-4)


def test_a_million_people_and_a_hundred_can_be_compared() -> None:
    large, small = compare([RateBelief(1_000_000, 40_000), RateBelief(100, 1)])
    assert large.is_best == pytest.approx(1 - stats.beta(2, 100).sf(0.04), abs=1e-3)
    assert small.is_best == pytest.approx(stats.beta(2, 100).sf(0.04), abs=1e-3)


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="converted"):
        RateBelief(10, 11)


# --- evidence -------------------------------------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_evidence_is_the_exact_beta_binomial_ratio(first: int, second: int) -> None:
    # With a uniform prior (concentration 2) the marginal likelihood of a sequence is 1 / ((n + 1) * C(n, k)).
    n = first + second
    exact = Fraction(2**n, (n + 1) * comb(n, first))
    assert exp(log_multinomial_evidence((first, second), HALVES, 2)) == pytest.approx(float(exact), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=2, max_size=4), st.floats(1, 500))
def test_a_bet_on_evidence_is_fair(counts: list[int], concentration: float) -> None:
    # The martingale of Ville's inequality: under the hypothesis the next person changes it by nothing on average.
    shares = [1 / len(counts)] * len(counts)
    now = log_multinomial_evidence(counts, shares, concentration)
    after = 0.0
    for index, share in enumerate(shares):
        following = [count + (position == index) for position, count in enumerate(counts)]
        after += share * exp(log_multinomial_evidence(following, shares, concentration) - now)
    assert after == pytest.approx(1, rel=1e-9)


def test_evidence_does_not_depend_on_which_variant_comes_first() -> None:
    one, other = Count(4000, 120), Count(4000, 171)
    assert log_pair_evidence(one, other, 0.2) == pytest.approx(log_pair_evidence(other, one, 0.2))


def test_a_variant_that_nobody_got_says_nothing() -> None:
    assert log_pair_evidence(Count(0, 0), Count(5000, 100), 0.1) == 0


@pytest.mark.parametrize("split", [(1, -0.0), (0.5, 0.4), (0.2, 0.2, 0.6)])
def test_shares_that_are_no_split_are_refused(split: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="share"):
        log_multinomial_evidence((1, 2), split, 10)


def test_amounts_that_are_alike_win_no_bet_and_amounts_that_differ_do() -> None:
    def amounts(mean: float) -> MeanBelief:
        return MeanBelief(10_000, 10_000 * mean, 10_000 * (mean**2 + 4))

    assert log_mean_evidence(amounts(1.0), amounts(1.0), 0.1) < 0
    assert log_mean_evidence(amounts(1.0), amounts(1.2), 0.1) > log(20)
    assert log_mean_evidence(MeanBelief(5000, 0, 0), MeanBelief(5000, 0, 0), 0.1) == 0, (
        "nobody bought: nothing is known"
    )


# --- the split ------------------------------------------------------------------------------------------------------
def test_a_split_that_is_as_planned_raises_no_alarm_and_a_broken_one_does() -> None:
    assert not has_broken_split((50_300, 49_700), HALVES)
    assert has_broken_split((51_000, 49_000), HALVES)
    assert not has_broken_split((10_050, 10_010, 79_940), (0.1, 0.1, 0.8))
    assert not has_broken_split((0, 0), HALVES)


# --- planning -------------------------------------------------------------------------------------------------------
def test_more_people_are_needed_for_smaller_lifts_rarer_events_more_variants_and_more_power() -> None:
    usual = needed_people(rate=0.03, lift=0.2)
    assert usual is not None
    for harder in (
        needed_people(rate=0.03, lift=0.1),
        needed_people(rate=0.01, lift=0.2),
        needed_people(rate=0.03, lift=0.2, variants=4),
        needed_people(rate=0.03, lift=0.2, power=0.9),
        needed_people(rate=0.03, lift=0.2, alpha=0.01),
    ):
        assert harder is not None
        assert harder > usual


def test_the_freedom_to_look_at_any_time_costs_about_twice_the_people_of_a_fixed_sample() -> None:
    p, q = 0.03, 0.036
    fixed = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2 * (p * (1 - p) + q * (1 - q)) / (q - p) ** 2
    anytime = needed_people(rate=p, lift=0.2)
    assert anytime is not None
    assert 1 < anytime / fixed < 2.5


def test_a_lift_that_no_list_could_show_needs_nobody_to_try() -> None:
    assert needed_people(rate=0.03, lift=0.0001) is None


@pytest.mark.parametrize(("rate", "lift"), [(0, 0.1), (1, 0.1), (0.9, 0.2), (0.1, 0), (0.1, -0.2)])
def test_plans_that_cannot_be_are_refused(rate: float, lift: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        needed_people(rate=rate, lift=lift)


# --- the verdict ----------------------------------------------------------------------------------------------------
def test_a_clear_lead_wins_and_an_unclear_one_goes_on_until_time_is_up() -> None:
    rule = Rule(minimum_lift=0.2)
    clear = judge([RateBelief(30_000, 900), RateBelief(30_000, 1150)], rule=rule, shares=HALVES)
    assert (clear.state, clear.leader) == (State.WINNER, 1)
    assert clear.p_value < 0.05
    unclear = [RateBelief(1000, 30), RateBelief(1000, 36)]
    assert judge(unclear, rule=rule, shares=HALVES).state is State.RUNNING
    assert judge(unclear, rule=rule, shares=HALVES, is_over=True).state is State.NO_DIFFERENCE


def test_variants_that_are_alike_end_in_no_difference_before_time_is_up() -> None:
    alike = [RateBelief(200_000, 6000), RateBelief(200_000, 6010)]
    verdict = judge(alike, rule=Rule(minimum_lift=0.1), shares=HALVES)
    assert verdict.is_equivalent
    assert verdict.state is State.NO_DIFFERENCE


def test_nothing_is_concluded_from_a_broken_split() -> None:
    verdict = judge([RateBelief(30_000, 900), RateBelief(24_000, 1400)], rule=Rule(), shares=HALVES)
    assert verdict.state is State.BROKEN_SPLIT


def test_of_three_the_leader_must_beat_both_others() -> None:
    thirds = (1 / 3, 1 / 3, 1 / 3)
    beliefs = [RateBelief(30_000, 900), RateBelief(30_000, 1200), RateBelief(30_000, 1190)]
    assert judge(beliefs, rule=Rule(minimum_lift=0.2), shares=thirds).state is not State.WINNER
    assert log_threshold(0.05, 3) == pytest.approx(log(3 / 0.05))


def test_revenue_is_judged_by_the_same_rule() -> None:
    poor, rich = MeanBelief(20_000, 20_000, 140_000), MeanBelief(20_000, 24_000, 170_000)
    verdict = judge([poor, rich], rule=Rule(minimum_lift=0.1), shares=HALVES)
    assert (verdict.state, verdict.leader) == (State.WINNER, 1)


def test_before_anybody_was_exposed_everything_is_open() -> None:
    verdict = judge([RateBelief(0, 0), RateBelief(0, 0)], rule=Rule(), shares=HALVES)
    assert verdict.state is State.RUNNING
    assert verdict.standings[0].is_best == pytest.approx(0.5)


def test_the_prior_expects_the_lift_that_matters() -> None:
    concentration = concentration_for(0.2)
    assert stats.beta(concentration / 2, concentration / 2).std() == pytest.approx(1.2 / 2.2 - 0.5, rel=1e-6)


# --- the bandit -----------------------------------------------------------------------------------------------------
def test_traffic_follows_the_probability_to_be_best_and_nobody_falls_below_the_floor() -> None:
    shares = next_shares([RateBelief(5000, 100), RateBelief(5000, 180), RateBelief(5000, 101)])
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= 0.05
    assert shares[1] > 0.85
    assert next_shares([RateBelief(0, 0)] * 4) == pytest.approx([0.25] * 4)
    with pytest.raises(ValueError, match="floors"):
        next_shares([RateBelief(1, 0)] * 4, floor=0.3)


# --- waves -----------------------------------------------------------------------------------------------------------
WAVES = st.lists(
    st.tuples(st.integers(1, 400), st.integers(0, 60), st.integers(1, 400), st.integers(0, 60)), min_size=1, max_size=5
)


def counts_of(waves: list[tuple[int, int, int, int]]) -> tuple[list[Count], list[Count]]:
    first = [Count(n + c, c) for n, c, _, _ in waves]
    return first, [Count(n + c, c) for _, _, n, c in waves]


@settings(max_examples=60, deadline=None)
@given(WAVES, st.integers(0, 4), st.floats(0.02, 2))
def test_a_bet_on_waves_is_fair_in_whichever_wave_the_next_conversion_is(
    waves: list[tuple[int, int, int, int]], chosen: int, lift: float
) -> None:
    # Ville's inequality needs no more: under equal rates the next conversion changes it by nothing on average.
    first, second = counts_of(waves)
    index = chosen % len(waves)
    share = second[index].exposed / (first[index].exposed + second[index].exposed)
    now, after = log_wave_evidence(first, second, lift), 0.0
    for variant, probability in ((first, 1 - share), (second, share)):
        following = list(variant)
        following[index] = Count(variant[index].exposed, variant[index].converted + 1)
        pair = (following, second) if variant is first else (first, following)
        after += probability * exp(log_wave_evidence(*pair, lift) - now)
    assert after == pytest.approx(1, rel=1e-9)


def test_evidence_of_waves_is_the_integral_over_the_ratio() -> None:
    first, second, lift = [Count(500, 20), Count(100, 6)], [Count(500, 31), Count(900, 71)], 0.3

    def at(log_ratio: float) -> float:
        won = 0.0
        for one, other in zip(first, second, strict=True):
            share = other.exposed / (one.exposed + other.exposed)
            won += other.converted * log_ratio
            won -= (one.converted + other.converted) * log(1 + share * (exp(log_ratio) - 1))
        return exp(won) * float(stats.norm.pdf(log_ratio, scale=log(1 + lift)))

    exact, _ = integrate.quad(at, -2, 2, epsabs=1e-12)
    assert exp(log_wave_evidence(first, second, lift)) == pytest.approx(exact, rel=1e-5)


def test_one_wave_is_judged_nearly_as_an_even_split_is() -> None:
    for one, other in ((Count(4000, 120), Count(4000, 171)), (Count(900, 30), Count(2100, 120))):
        as_wave = log_wave_evidence([one], [other], 0.2)
        assert as_wave == pytest.approx(log_pair_evidence(one, other, 0.2), abs=0.25)


def test_adding_waves_up_would_find_a_difference_that_is_not_there() -> None:
    # Equals at 2 % in a dull wave and at 20 % in a lively one that went mostly to the second.
    first, second = [Count(5000, 100), Count(500, 100)], [Count(5000, 100), Count(9500, 1900)]
    added = Count(5500, 200), Count(14_500, 2000)
    assert log_pair_evidence(*added, 0.2) > log(1e6)
    assert log_wave_evidence(first, second, 0.2) < 0
    assert [count.converted / count.exposed for count in even_out(list(zip(first, second, strict=True)))] == (
        pytest.approx([0.11, 0.11], rel=0.01)
    )


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(200, 3000), st.integers(1, 150)), min_size=3, max_size=3), min_size=1, max_size=4
    )
)
def test_people_evened_out_fulfil_the_score_equations(waves: list[list[tuple[int, int]]]) -> None:
    counts = [[Count(*cell) for cell in wave] for wave in waves]
    evened = even_out(counts)
    assert sum(count.exposed for count in evened) == pytest.approx(sum(n for wave in waves for n, _ in wave), abs=3)
    worth = [count.converted / count.exposed for count in evened]
    # with these worths and the liveliness that follows, every variant is expected to convert as often as it did
    for variant in range(3):
        expected = sum(
            sum(count.converted for count in wave)
            * wave[variant].exposed * worth[variant]
            / sum(count.exposed * each for count, each in zip(wave, worth, strict=True))
            for wave in counts
        )  # fmt: skip
        assert expected == pytest.approx(evened[variant].converted, rel=0.02)


def test_one_wave_is_as_it_is() -> None:
    counts = [Count(800, 31), Count(420, 9), Count(10, 0)]
    assert even_out([counts]) == counts
    assert even_out([[Count(5, 0), Count(7, 0)], [Count(1, 0), Count(2, 0)]]) == [Count(6, 0), Count(9, 0)]


def test_means_are_weighted_by_the_size_of_their_wave() -> None:
    def amounts(people: int, mean: float, variance: float = 4.0) -> MeanBelief:
        return MeanBelief(people, people * mean, (people - 1) * variance + people * mean**2)

    waves = [[amounts(500, 1.0), amounts(500, 1.2)], [amounts(100, 3.0), amounts(1900, 3.2)]]
    first, second = even_out_means(waves)
    assert (first.mean, second.mean) == (pytest.approx((1 + 2 * 3) / 3), pytest.approx((1.2 + 2 * 3.2) / 3))
    assert first.variance_of_mean == pytest.approx((4 / 500) / 9 + 4 * (4 / 100) / 9)
    assert even_out_means([[MeanBelief(1, 0, 0), MeanBelief(3, 1, 1)]]) == [MeanBelief(1, 0, 0), MeanBelief(3, 1, 1)]


def test_each_wave_is_checked_against_its_own_split() -> None:
    assert not has_broken_waves([(500, 500), (98, 1902)], [(0.5, 0.5), (0.05, 0.95)])
    assert has_broken_waves([(500, 500), (598, 1402)], [(0.5, 0.5), (0.05, 0.95)])
    assert not has_broken_waves([(0, 0)], [(0.5, 0.5)])


def test_waves_end_by_the_same_rule_and_amounts_name_no_winner() -> None:
    shares = [(0.5, 0.5), (0.2, 0.8)]
    clear = [[RateBelief(2000, 60), RateBelief(2000, 130)], [RateBelief(800, 30), RateBelief(3200, 260)]]
    verdict = judge_waves(clear, rule=Rule(0.2), shares=shares)
    assert (verdict.state, verdict.leader) == (State.WINNER, 1)
    dear = [[MeanBelief(2000, 2000, 9000), MeanBelief(2000, 9000, 60_000)]]
    verdict = judge_waves(dear, rule=Rule(0.2), shares=shares[:1])
    assert (verdict.state, verdict.leader, verdict.p_value) == (State.RUNNING, 1, 1.0)
    assert judge_waves(dear, rule=Rule(0.2), shares=shares[:1], is_over=True).state is State.NO_DIFFERENCE


# --- published values ------------------------------------------------------------------------------------------------
def test_a_published_broken_split_is_found() -> None:
    # Kohavi, Tang and Xu, "Trustworthy Online Controlled Experiments" (2020), chapter 3: 821,588 against 815,482 users
    # of an even split; p = 1.8e-6.
    users = (821_588, 815_482)
    assert stats.chisquare(users).pvalue == pytest.approx(1.8e-6, rel=0.02)
    assert has_broken_split(users, HALVES)
    assert not has_broken_split((818_800, 818_270), HALVES)


def test_a_published_sample_size_is_the_least_that_is_asked_for() -> None:
    # Kohavi, Longbotham, Sommerfield and Henne, "Controlled experiments on the web" (2009), section 3.2: 121,600 users
    # a variant for a change of 5 % at a conversion rate of 5 %, looked at once, with a power of 80 %.
    anytime = needed_people(rate=0.05, lift=0.05)
    assert anytime is not None
    assert 121_600 < anytime < 2.5 * 121_600


def test_small_tests_err_as_rarely_as_promised_by_enumeration() -> None:
    # Every path of 40 conversions of two equals, each looked at after every conversion: exact, not simulated.
    paths = {(0, 0): Fraction(1)}
    wrong = Fraction(0)
    for _ in range(40):
        following: dict[tuple[int, int], Fraction] = {}
        for (first, second), chance in paths.items():
            for now in ((first + 1, second), (first, second + 1)):
                following[now] = following.get(now, Fraction(0)) + chance / 2
        stopped = {
            now for now in following
            if log_multinomial_evidence(now, HALVES, concentration_for(1.0)) >= log_threshold(0.05, 2)
        }  # fmt: skip
        wrong += sum((following.pop(now) for now in stopped), Fraction(0))
        paths = following
    assert 0 < wrong <= Fraction(5, 100)
