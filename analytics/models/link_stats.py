"""Clicks of each link."""

from __future__ import annotations

from django.db import models


class LinkStats(models.Model):
    """Absolute counts of one tracked link."""

    link = models.OneToOneField("campaigns.Link", on_delete=models.CASCADE, primary_key=True, related_name="+")
    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="+")
    clicks = models.PositiveIntegerField(default=0, help_text="Human clicks, repeats included.")
    unique_clicks = models.PositiveIntegerField(default=0, help_text="Messages with at least one human click on it.")
    machine_clicks = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "link stats"

    def __str__(self) -> str:
        return f"{self.link_id}: {self.clicks}"
