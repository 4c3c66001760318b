"""How a brand sounds."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class BrandVoice(TenantModel):
    """A voice profile: proposed from samples, accepted by a person, then used by every draft."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        ACTIVE = "active", "Active"
        LOCKED = "locked", "Locked"

    name = models.CharField(max_length=120)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    profile = models.JSONField(
        default=dict,
        help_text="traits (texts, or {is, is_not}), do_words, dont_words, style_rules, banned_phrases, formality",
    )
    generation = models.ForeignKey(
        "aiwriter.Generation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The run that proposed it.",
    )
    version = models.PositiveSmallIntegerField(default=1)
    evidence = models.JSONField(
        default=dict,
        blank=True,
        help_text="What a proposal rests on: {method, quotes: [{part, text, quote, sample}], flags}.",
    )
    measured = models.JSONField(default=dict, blank=True, help_text="Figures of the samples, such as words a sentence.")
    note = models.CharField(max_length=120, blank=True, help_text="How this version came to be.")
    saved_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name", "version"], name="brand_voice_version_unique")
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def is_in_force(self) -> bool:
        """Whether a person stands behind it; a proposal is nobody's voice yet."""
        return self.status != self.Status.PROPOSED
