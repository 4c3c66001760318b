"""What the marketer wants said."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Brief(TenantModel):
    """One sentence is enough (`goal`); everything else narrows it down."""

    goal = models.CharField(max_length=1000)
    audience = models.CharField(max_length=500, blank=True)
    offer = models.CharField(max_length=500, blank=True)
    facts = models.JSONField(default=list, blank=True, help_text="Texts that drafts may claim.")
    cta_label = models.CharField(max_length=80, blank=True)
    cta_url = models.URLField(max_length=1000, blank=True)
    allowed_links = models.JSONField(default=list, blank=True)
    allowed_tags = models.JSONField(default=list, blank=True, help_text="Merge tags besides the standard ones.")
    tone = models.CharField(max_length=120, blank=True)
    length = models.CharField(
        max_length=10, default="medium", choices=[("short", "Short"), ("medium", "Medium"), ("long", "Long")]
    )
    language = models.CharField(max_length=20, default="en")
    must_say = models.JSONField(default=list, blank=True)
    must_not_say = models.JSONField(default=list, blank=True)
    complexity = models.CharField(
        max_length=8,
        blank=True,
        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High")],
        help_text="Empty: worked out from the brief.",
    )
    brand_voice = models.ForeignKey(
        "aiwriter.BrandVoice", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    angles = models.PositiveSmallIntegerField(default=3)

    def __str__(self) -> str:
        return self.goal[:80]
