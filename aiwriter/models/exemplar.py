"""Writing that worked."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Exemplar(TenantModel):
    """An accepted draft or a winner of a test, kept so that new drafts can be written with it in mind."""

    class Origin(models.TextChoices):
        ACCEPTED = "accepted", "Accepted draft"
        WINNER = "winner", "Winner of a test"
        SAMPLE = "sample", "Sample of the brand"

    title = models.CharField(max_length=300)
    text = models.TextField()
    origin = models.CharField(max_length=20, choices=Origin.choices)
    draft = models.ForeignKey("aiwriter.Draft", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    campaign_id = models.UUIDField(
        null=True, blank=True, help_text="The campaign that said it: an id, because a later app owns campaigns."
    )
    metric = models.CharField(max_length=20, blank=True, help_text="What a winner won by, such as `click_rate`.")
    metric_value = models.FloatField(null=True, blank=True, help_text="Of the winner, as a share of 1.")
    sample_size = models.PositiveIntegerField(null=True, blank=True, help_text="People whom the figure rests on.")

    def __str__(self) -> str:
        return self.title

    @property
    def why(self) -> str:
        """Why it is an example, in a few words: “won a test by click rate, 4.1 % of 1,200 people”."""
        if self.origin == self.Origin.WINNER:
            metric = self.metric.replace("_", " ") or "result"
            share = f", {self.metric_value:.1%}" if self.metric_value is not None else ""
            people = f" of {self.sample_size:,} people" if self.sample_size else ""
            return f"won a test by {metric}{share}{people}"
        return "a sample of the brand" if self.origin == self.Origin.SAMPLE else "accepted by a person"

    @property
    def body(self) -> str:
        """What it says after its title."""
        return self.text.removeprefix(self.title).strip()
