"""Custom fields: what a workspace knows about its contacts beyond name and address."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from pulsequill.core.db import TenantModel


class ContactField(TenantModel):
    """One custom field; its `key` is also its merge tag."""

    class Type(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        DATE = "date", "Date"
        BOOLEAN = "boolean", "Yes or no"

    key = models.CharField(max_length=40, validators=[RegexValidator(r"^[a-z][a-z0-9_]{0,39}$")])
    label = models.CharField(max_length=80)
    type = models.CharField(max_length=10, choices=Type.choices, default=Type.TEXT)
    fallback = models.CharField(max_length=120, blank=True, help_text="Used when a contact has no value.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="contact_field_key_unique")]

    def __str__(self) -> str:
        return self.label
