"""Saved reports."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Report(TenantModel):
    """A question about several campaigns that is kept and can be asked again."""

    name = models.CharField(max_length=120)
    query = models.JSONField(default=dict)
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return self.name
