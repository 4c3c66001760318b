"""What a campaign says: one variant, or several for an A/B test."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models

from campaigns.models.sender import Sender
from pulsequill.core.db import TenantModel


class Variant(TenantModel):
    """Subject, preview text and body. At launch the compiled content is frozen, with its hash."""

    class Format(models.TextChoices):
        BLOCKS = "blocks", "Blocks"
        HTML = "html", "HTML"
        MARKDOWN = "markdown", "Markdown"
        MJML = "mjml", "MJML"

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="variants")
    label = models.CharField(max_length=20, default="A")
    subject = models.CharField(max_length=300, blank=True)
    preview_text = models.CharField(max_length=300, blank=True)
    format = models.CharField(max_length=10, choices=Format.choices, default=Format.BLOCKS)
    body = models.JSONField(
        default=list, blank=True, help_text="The block list, or the source text of the other formats."
    )
    text = models.TextField(blank=True, help_text="Plain text written by hand; empty: made from the body.")
    sender = models.ForeignKey(
        "campaigns.Sender", on_delete=models.RESTRICT, null=True, blank=True, related_name="+",
        help_text="Who it comes from; empty: the campaign's sender.",
    )  # fmt: skip
    send_delay_minutes = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(7 * 24 * 60)], help_text="Leaves so much later than the campaign."
    )
    share = models.PositiveSmallIntegerField(default=100, help_text="Part of the recipients, in percent.")
    is_winner = models.BooleanField(default=False)
    draft = models.ForeignKey("aiwriter.Draft", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    compiled_html = models.TextField(blank=True, help_text="Frozen Mustache source with tracked links.")
    compiled_text = models.TextField(blank=True)
    content_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "label"], name="variant_label_unique")]

    def __str__(self) -> str:
        return f"{self.label}: {self.subject}"

    @property
    def comes_from(self) -> Sender | None:
        """Whom its mail comes from: its own sender, or the campaign's."""
        return self.sender or self.campaign.sender
