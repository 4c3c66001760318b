"""The outbox of the `capture` provider."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantManager


class CapturedMessage(models.Model):
    """The complete bytes of a message that was kept instead of sent."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(
        "accounts.Workspace",
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        blank=True,
        db_index=False,  # captured_message_recent begins with it
        help_text="Empty for system mail such as password resets, which only operators see.",
    )
    campaign = models.ForeignKey(
        "campaigns.Campaign", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    message = models.ForeignKey("campaigns.Message", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=998)
    raw = models.BinaryField(help_text="RFC 5322 bytes.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "-id"], name="captured_message_recent")]

    def __str__(self) -> str:
        return f"{self.to}: {self.subject}"
