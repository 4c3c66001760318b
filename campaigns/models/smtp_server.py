"""The mail servers that a workspace's own SMTP spreads its messages over."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from pulsequill.core.db import TenantModel


class SmtpServer(TenantModel):
    """One mail server. Messages are shared out by weight; a server that is away leaves its share to the others."""

    class Security(models.TextChoices):
        STARTTLS = "starttls", "STARTTLS"
        TLS = "tls", "TLS"
        NONE = "none", "None"

    settings = models.ForeignKey("campaigns.ProviderSettings", on_delete=models.CASCADE, related_name="servers")
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=587, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    security = models.CharField(max_length=8, choices=Security.choices, default=Security.STARTTLS)
    username = models.CharField(max_length=254, blank=True)
    password_encrypted = models.BinaryField(null=True, blank=True)
    password_set_at = models.DateTimeField(null=True, blank=True, help_text="All that is shown of the password.")
    weight = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(100)])
    max_connections = models.PositiveSmallIntegerField(
        default=8, validators=[MinValueValidator(1), MaxValueValidator(200)]
    )
    messages_per_connection = models.PositiveIntegerField(
        default=0, help_text="After so many messages a connection is closed and opened anew; 0: never."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["settings", "host", "port"], name="smtp_server_unique")]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
