"""A workspace's own key at an AI provider."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class ProviderKey(TenantModel):
    """A key, encrypted at rest and never shown again; `hint` is its last characters, to tell keys apart."""

    class Provider(models.TextChoices):
        OPENAI = "openai", "OpenAI"
        ANTHROPIC = "anthropic", "Anthropic"

    provider = models.CharField(max_length=20, choices=Provider.choices)
    key_encrypted = models.BinaryField()
    hint = models.CharField(max_length=8)
    set_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "provider"], name="provider_key_unique")]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} …{self.hint}"


#: What people call those who answer; `offline` are the templates.
PROVIDER_NAMES: dict[str, str] = {**dict(ProviderKey.Provider.choices), "offline": "Templates"}
