"""Reusable content."""

from __future__ import annotations

from django.db import models

from campaigns.models.variant import Variant
from pulsequill.core.db import TenantModel


class EmailTemplate(TenantModel):
    """A saved body that campaigns and transactional messages start from."""

    class Purpose(models.TextChoices):
        WELCOME = "welcome", "Welcome"
        NEWS = "news", "News"
        PROMOTION = "promotion", "Promotion"
        EVENT = "event", "Events"
        WIN_BACK = "win_back", "Bring back"
        ORDER = "order", "Orders"
        ASK = "ask", "Feedback"

    name = models.CharField(max_length=120)
    purpose = models.CharField(max_length=20, choices=Purpose.choices, blank=True, help_text="What it is for.")
    subject = models.CharField(max_length=300, blank=True)
    preview_text = models.CharField(max_length=300, blank=True)
    format = models.CharField(max_length=10, choices=Variant.Format.choices, default=Variant.Format.BLOCKS)
    body = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="email_template_name_unique")]

    def __str__(self) -> str:
        return self.name
