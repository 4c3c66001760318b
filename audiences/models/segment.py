"""Saved questions about contacts."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Segment(TenantModel):
    """A question whose answer is computed each time: `rules` is the tree that `audiences.segmentation` compiles."""

    name = models.CharField(max_length=120)
    rules = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="segment_name_unique")]

    def __str__(self) -> str:
        return self.name
