"""What a campaign is for, beyond the click."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Goal(TenantModel):
    """A conversion: customers report it through `POST /v1/events`, or a click on a link counts as one."""

    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    link_prefix = models.TextField(
        blank=True, help_text="A human click on a link that begins like this reaches the goal; empty: only events do."
    )
    window_days = models.PositiveSmallIntegerField(
        default=7,
        help_text="An event about a contact counts for the mail they clicked, or else opened, last in so many days.",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="goal_key_unique")]

    def __str__(self) -> str:
        return self.name
