"""Tracked links."""

from __future__ import annotations

import uuid

from django.db import models

from pulsequill.core.ids import uuid7_from_bigint


class Link(models.Model):
    """A target address of one variant. Mails hold a signed id, so a wrong address can be mended after sending."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    variant = models.ForeignKey("campaigns.Variant", on_delete=models.CASCADE, related_name="links")
    url = models.TextField()
    original_url = models.TextField(
        blank=True, help_text="What the mail was written with, once it was pointed elsewhere."
    )
    is_honeypot = models.BooleanField(default=False, help_text="Hidden from people: whoever follows it is a machine.")
    position = models.PositiveSmallIntegerField(help_text="Where it stands in the mail, from 0.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["variant", "position"], name="link_position_unique")]

    def __str__(self) -> str:
        return self.url

    @property
    def public_id(self) -> uuid.UUID:
        """The UUIDv7 that `/v1` shows; it contains the key."""
        return uuid7_from_bigint(self.id, self.created_at)
