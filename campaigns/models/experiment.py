"""How the variants of a campaign are compared."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from pulsequill.core.db import TenantModel


class Experiment(TenantModel):
    """The rule of an A/B test, fixed before launch, and what came of it.

    Written by people until launch; from then on by `analytics.decisions` only.
    """

    #: A test on everybody has time: nobody waits for its end.
    EVEN_HOURS = 7 * 24

    class Mode(models.TextChoices):
        EVEN = "even", "Split everybody"
        WINNER = "winner", "Test on some, send the winner to the rest"
        BANDIT = "bandit", "Shift towards what works"

    class Metric(models.TextChoices):
        CLICKS = "clicks", "Human clicks"
        OPENS = "opens", "Human opens"
        GOAL = "goal", "Goal reached"
        REVENUE = "revenue", "Revenue for each recipient"

    class Chooser(models.TextChoices):
        RULE = "rule", "By itself"
        PERSON = "person", "A person sends it"

    class Fallback(models.TextChoices):
        LEADER = "leader", "Send the leader"
        SPLIT = "split", "Split the rest too"
        ASK = "ask", "Ask a person"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        WINNER = "winner", "Winner found"
        NO_DIFFERENCE = "no_difference", "No difference"
        BROKEN_SPLIT = "broken_split", "Split went wrong"

    campaign = models.OneToOneField("campaigns.Campaign", on_delete=models.CASCADE, related_name="experiment")
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.EVEN)
    metric = models.CharField(max_length=10, choices=Metric.choices, default=Metric.CLICKS)
    goal_key = models.SlugField(max_length=60, blank=True, help_text="Key of the goal; empty: any goal.")
    test_share = models.PositiveSmallIntegerField(
        default=20, validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Percent of the recipients that the test, or a bandit's first wave, goes to. An even split asks all.",
    )  # fmt: skip
    minimum_lift = models.FloatField(
        default=0.1, validators=[MinValueValidator(0.01), MaxValueValidator(10)],
        help_text="The smallest difference that matters, a share of the rate.",
    )  # fmt: skip
    alpha = models.FloatField(default=0.05, validators=[MinValueValidator(0.001), MaxValueValidator(0.2)])
    decide_after_hours = models.PositiveSmallIntegerField(
        default=4, validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text="When a test without a verdict is over, counted from its last mail.",
    )  # fmt: skip
    chooser = models.CharField(max_length=8, choices=Chooser.choices, default=Chooser.RULE)
    fallback = models.CharField(
        max_length=8, choices=Fallback.choices, default=Fallback.LEADER, help_text="For the rest, without a winner."
    )
    state = models.CharField(max_length=14, choices=State.choices, default=State.RUNNING)
    winner = models.ForeignKey("campaigns.Variant", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        "accounts.User",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: the rule.",
    )
    outcome = models.CharField(max_length=300, blank=True)
    result = models.JSONField(default=dict, blank=True, help_text="The standings that the decision was made on.")
    waves = models.JSONField(
        default=list, blank=True, help_text="What was released, in order: `{at, recipients, shares: {label: share}}`."
    )

    def __str__(self) -> str:
        return f"{self.campaign_id} by {self.metric}"
