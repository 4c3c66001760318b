"""What the brand may always claim."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class BrandFact(TenantModel):
    """A fact of the brand's knowledge, such as a price, a guarantee or an opening hour: receipts may point to it."""

    text = models.CharField(max_length=500)
    is_active = models.BooleanField(default=True)
    valid_until_date = models.DateField(null=True, blank=True, help_text="Last day on which it is true; empty: always.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "text"], name="brand_fact_once")]

    def __str__(self) -> str:
        return self.text
