"""Texts that a brand voice is learned from."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class BrandSample(TenantModel):
    """A text that the brand wrote: pasted, taken from a past campaign, or read from a file. Untrusted: data only."""

    class Source(models.TextChoices):
        PASTED = "pasted", "Pasted"
        CAMPAIGN = "campaign", "Past campaign"
        FILE = "file", "File"

    title = models.CharField(max_length=200)
    source = models.CharField(max_length=10, choices=Source.choices)
    text = models.TextField(help_text="Plain text, with hidden characters and markup removed.")
    content_sha256 = models.CharField(max_length=64)
    flags = models.JSONField(
        default=list, blank=True, help_text="What was left out for safety: [{code, message, quote}]."
    )
    campaign_id = models.UUIDField(
        null=True, blank=True, help_text="The campaign that it was: an id, because a later app owns campaigns."
    )
    voices = models.ManyToManyField("aiwriter.BrandVoice", blank=True, related_name="samples")
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "content_sha256"], name="brand_sample_once")]

    def __str__(self) -> str:
        return self.title
