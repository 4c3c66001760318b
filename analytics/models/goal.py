"""What a campaign is for, beyond the click."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Goal(TenantModel):
    """A conversion that customers report through `POST /v1/events`."""

    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="goal_key_unique")]

    def __str__(self) -> str:
        return self.name
