"""Who belongs to which workspace, and as what."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Role(models.TextChoices):
    """What a teammate is; `accounts.permissions` says what each may do."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    EDITOR = "editor", "Editor"
    APPROVER = "approver", "Approver"
    ANALYST = "analyst", "Analyst"


class Membership(TenantModel):
    """A person's place in a workspace."""

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.EDITOR)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"
