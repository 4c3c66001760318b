"""Whom a campaign comes from."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Sender(TenantModel):
    """A From name and address, and where replies go."""

    from_name = models.CharField(max_length=120)
    from_email = models.EmailField(max_length=254)
    reply_to = models.EmailField(max_length=254, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "from_email", "from_name"], name="sender_unique")]

    def __str__(self) -> str:
        return f"{self.from_name} <{self.from_email}>"
