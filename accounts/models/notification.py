"""What we tell a person inside the product."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Notification(TenantModel):
    """One line in a person's notification list; `user` empty means everybody in the workspace."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    body = models.CharField(max_length=500, blank=True)
    url = models.CharField(max_length=300, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "-created_at"], name="notification_recent")]

    def __str__(self) -> str:
        return self.title
