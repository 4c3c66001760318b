"""Refresh tokens of `/v1`: single use, rotated, one family per sign-in (RFC 9700 section 4.14)."""

from __future__ import annotations

from django.db import models

from pulsequill.core.ids import uuid7


class RefreshToken(models.Model):
    """One refresh token. Using it a second time revokes every token of its family."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, help_text="The token's `jti`.")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="refresh_tokens")
    family_id = models.UUIDField(db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replaces"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.user} {self.created_at:%Y-%m-%d %H:%M}"
