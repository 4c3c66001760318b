"""Writing that worked."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Exemplar(TenantModel):
    """An accepted draft or a winner of a test, kept so that new drafts can be written with it in mind."""

    title = models.CharField(max_length=300)
    text = models.TextField()
    origin = models.CharField(max_length=20, help_text="accepted, winner, sample")
    draft = models.ForeignKey("aiwriter.Draft", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return self.title
