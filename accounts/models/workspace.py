"""The tenant: a brand with its audience, campaigns and team."""

from __future__ import annotations

from django.db import models
from django.utils.text import slugify

from pulsequill.core.ids import uuid7


class Workspace(models.Model):
    """Everything that a team owns together; nothing is shared between two of them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    postal_address = models.CharField(
        max_length=300, blank=True, help_text="Stands in the footer of every campaign; the law asks for it."
    )
    reason_line = models.CharField(
        max_length=300, blank=True, help_text="Why the reader gets this mail, for the footer."
    )
    time_zone = models.CharField(max_length=64, default="UTC")
    brand = models.JSONField(default=dict, blank=True, help_text="Colours, logo and font of the mails.")
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def free_slug(name: str) -> str:
        """Return a slug for `name` that no workspace has yet."""
        base = slugify(name)[:50] or "workspace"
        taken = set(Workspace.objects.filter(slug__startswith=base).values_list("slug", flat=True))
        return (
            base
            if base not in taken
            else next(s for n in range(2, len(taken) + 3) if (s := f"{base}-{n}") not in taken)
        )
