"""Vectors of exemplars."""

from __future__ import annotations

from django.db import models
from pgvector.django import VectorField

from pulsequill.core.db import TenantModel

DIMENSIONS = 384


class Embedding(TenantModel):
    """The vector of one exemplar by one embedder. Vectors of different embedders are never compared."""

    exemplar = models.ForeignKey("aiwriter.Exemplar", on_delete=models.CASCADE, related_name="embeddings")
    embedder = models.CharField(max_length=60)
    content_sha256 = models.CharField(max_length=64)
    vector = VectorField(dimensions=DIMENSIONS)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exemplar", "embedder"], name="embedding_once")]
        indexes = [models.Index(fields=["workspace", "embedder"], name="embedding_by_embedder")]

    def __str__(self) -> str:
        return f"{self.exemplar_id} by {self.embedder}"
