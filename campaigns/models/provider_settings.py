"""How a workspace sends: its own account at a provider, in place of the installation's."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class ProviderSettings(TenantModel):
    """One provider's account of a workspace. The active one sends new campaigns; the others finish what they began."""

    provider = models.CharField(max_length=20, help_text="A key of `delivery.providers.PROVIDERS`.")
    is_active = models.BooleanField(default=False)
    options = models.JSONField(default=dict, blank=True, help_text="What is not secret, such as an address.")
    secret_encrypted = models.BinaryField(null=True, blank=True, help_text="An API key; written, never shown.")
    secret_set_at = models.DateTimeField(null=True, blank=True, help_text="All that is shown of the secret.")
    rate_per_second = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: as fast as it takes mail.")
    warm_up_start_date = models.DateField(null=True, blank=True, help_text="First day of a warm-up; empty: none.")
    warm_up_plan = models.JSONField(default=list, blank=True, help_text="Most messages for each day from the first on.")
    tested_at = models.DateTimeField(null=True, blank=True)
    test_error = models.CharField(max_length=300, blank=True, help_text="What the last test said; empty: it worked.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "provider"], name="provider_settings_unique"),
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(is_active=True), name="provider_settings_one_active"
            ),
        ]

    def __str__(self) -> str:
        return self.provider
