"""Domains that a workspace may send from."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class SendingDomain(TenantModel):
    """A domain and what its DNS said when it was last checked."""

    name = models.CharField(max_length=253)
    verified_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    findings = models.JSONField(default=list, blank=True)
    dkim_verified_at = models.DateTimeField(null=True, blank=True, help_text="Our key was seen in the DNS: it signs.")
    return_path_verified_at = models.DateTimeField(null=True, blank=True, help_text="Its bounce host was seen.")
    dkim_selector = models.CharField(max_length=63, blank=True, help_text="Where our public key is published.")
    dkim_private_key_encrypted = models.BinaryField(null=True, blank=True, help_text="Signs mail of our own SMTP.")
    dkim_public_key = models.TextField(blank=True, help_text="Base64 of the key's DER form, as in the DNS record.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="sending_domain_unique")]

    def __str__(self) -> str:
        return self.name
