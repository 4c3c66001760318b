"""Keys for programs."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from pulsequill.core.db import TenantModel


class ApiKey(TenantModel):
    """`pq_live_<prefix>_<secret>`: shown once, kept as prefix and SHA-256, bound to one workspace."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=8, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=40), default=list, blank=True, help_text="Empty: all.")
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} (pq_live_{self.prefix}…)"
