"""Single paragraphs of the brand's own writing, to be found again."""

from __future__ import annotations

from django.db import models
from pgvector.django import VectorField

from aiwriter.models.embedding import DIMENSIONS
from pulsequill.core.db import TenantModel


class Passage(TenantModel):
    """One paragraph of a sample or an exemplar with its vector by one embedder: what a draft is held beside."""

    exemplar = models.ForeignKey(
        "aiwriter.Exemplar", on_delete=models.CASCADE, null=True, blank=True, related_name="passages"
    )
    sample = models.ForeignKey(
        "aiwriter.BrandSample", on_delete=models.CASCADE, null=True, blank=True, related_name="passages"
    )
    position = models.PositiveSmallIntegerField()
    text = models.TextField()
    embedder = models.CharField(max_length=60)
    vector = VectorField(dimensions=DIMENSIONS)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exemplar", "position", "embedder"], name="passage_of_exemplar_once"),
            models.UniqueConstraint(fields=["sample", "position", "embedder"], name="passage_of_sample_once"),
        ]
        indexes = [models.Index(fields=["workspace", "embedder"], name="passage_by_embedder")]

    def __str__(self) -> str:
        return self.text[:80]
