"""Lists: what people subscribe to."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class ContactList(TenantModel):
    """A list with a name that subscribers see in the preference centre."""

    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    is_double_opt_in = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="contact_list_name_unique")]

    def __str__(self) -> str:
        return self.name
