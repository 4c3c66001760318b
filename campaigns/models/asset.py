"""Pictures that mails show."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from pulsequill.core.db import TenantModel


class Asset(TenantModel):
    """An uploaded picture, re-encoded before it is stored."""

    file = models.FileField(max_length=300)
    name = models.CharField(max_length=200)
    alt = models.CharField(max_length=300, blank=True)
    content_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "sha256"], name="asset_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def extension(self) -> str:
        """How the file's name ends, without the dot."""
        return str(self.file.name).rpartition(".")[2]

    @property
    def path(self) -> str:
        """The path of the public address; it stands in the mails that show the picture."""
        return f"/m/{self.pk}.{self.extension}"

    @property
    def url(self) -> str:
        """The public address."""
        return f"{settings.PUBLIC_URL}{self.path}"
