"""A contact's place on a list."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Subscription(TenantModel):
    """A contact on a list. A contact with an active one is a subscriber."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        ACTIVE = "active", "Active"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"

    #: Indexes that nothing reads and checks that say nothing new would double an import's work. The workspace is the
    #: contact's and the list's, whose keys are checked; an import that is deleted is set to NULL by Django.
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey("audiences.Contact", on_delete=models.CASCADE, related_name="subscriptions")
    list = models.ForeignKey(
        "audiences.ContactList", on_delete=models.CASCADE, related_name="subscriptions", db_index=False
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    source_import = models.ForeignKey(
        "audiences.ContactImport",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    unsubscribed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # INCLUDE answers "how many active on this list" and "who, in order" from the index alone.
            models.UniqueConstraint(fields=["list", "contact"], include=["status"], name="subscription_unique")
        ]
        indexes = [
            models.Index(
                fields=["list", "status", "contact"],
                condition=~models.Q(status="active"),
                name="subscription_not_active",
            )
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} on {self.list_id}: {self.status}"
