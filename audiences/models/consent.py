"""Proof of consent."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Consent(TenantModel):
    """When, where and to what wording a contact agreed."""

    contact = models.ForeignKey("audiences.Contact", on_delete=models.CASCADE, related_name="consents")
    source = models.CharField(max_length=120)
    wording = models.CharField(max_length=500, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    given_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact", "source"], name="consent_once_per_source")]

    def __str__(self) -> str:
        return f"{self.contact_id}: {self.source}"
