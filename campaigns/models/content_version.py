"""What a template or a variant said at a time: for comparing and going back."""

from __future__ import annotations

from django.db import models

from campaigns.models.variant import Variant
from pulsequill.core.db import TenantModel


class ContentVersion(TenantModel):
    """One kept state of a body. Numbers count from 1 for each template and each variant."""

    number = models.PositiveIntegerField()
    note = models.CharField(max_length=120, blank=True, help_text="Why it was kept: adopted a draft, before a restore.")
    subject = models.CharField(max_length=300, blank=True)
    preview_text = models.CharField(max_length=300, blank=True)
    format = models.CharField(max_length=10, choices=Variant.Format.choices, default=Variant.Format.BLOCKS)
    body = models.JSONField(default=list, blank=True)
    text = models.TextField(blank=True)
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"Version {self.number}"


class TemplateVersion(ContentVersion):
    """A kept state of a template."""

    template = models.ForeignKey("campaigns.EmailTemplate", on_delete=models.CASCADE, related_name="versions")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_unique")]


class VariantVersion(ContentVersion):
    """A kept state of a campaign's variant."""

    variant = models.ForeignKey("campaigns.Variant", on_delete=models.CASCADE, related_name="versions")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["variant", "number"], name="variant_version_unique")]
