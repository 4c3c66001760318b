"""Models and their prices: data that an operator edits."""

from __future__ import annotations

from django.db import models


def dollars(micro_usd: int) -> str:
    """Return an amount for people: cents for what is more than one, four places for what is less."""
    return (
        f"${micro_usd / 1_000_000:,.2f}"
        if micro_usd >= 1_000_000 or micro_usd == 0
        else f"${micro_usd / 1_000_000:.4f}"
    )


class ModelPrice(models.Model):
    """A model's abilities and price, from a date and a prompt length on; prices are micro-USD per million tokens."""

    provider = models.CharField(max_length=20, choices=[("openai", "OpenAI"), ("anthropic", "Anthropic")])
    model = models.CharField(max_length=80)
    role = models.CharField(
        max_length=10,
        blank=True,
        choices=[("small", "Small"), ("main", "Main")],
        help_text="What the router uses it for; empty: only when asked for by name.",
    )
    valid_from = models.DateField()
    tier_from_tokens = models.PositiveIntegerField(default=0)
    input_price = models.BigIntegerField()
    output_price = models.BigIntegerField()
    cached_input_price = models.BigIntegerField(default=0)
    context_tokens = models.PositiveIntegerField()
    max_output_tokens = models.PositiveIntegerField()
    accepts_temperature = models.BooleanField(default=True)
    thinks_by_default = models.BooleanField(
        default=False, help_text="Spends output tokens on thinking before it answers."
    )
    has_structured_output = models.BooleanField(default=True)
    shutdown_date = models.DateField(null=True, blank=True)
    replacement = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "valid_from", "tier_from_tokens"], name="model_price_unique")
        ]

    def __str__(self) -> str:
        return f"{self.model} from {self.valid_from}"
