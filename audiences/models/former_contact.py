"""Contacts that were deleted, and whose old mails still carry an unsubscribe link."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class FormerContact(TenantModel):
    """The address of a deleted contact, under the contact's id.

    RFC 8058 expects the link of an old mail to work whatever happened since. An erased person leaves only the keyed
    hash of the address.
    """

    email_normalized = models.CharField(max_length=254)

    def __str__(self) -> str:
        return self.email_normalized
