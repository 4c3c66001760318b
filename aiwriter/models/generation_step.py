"""The audit row of one provider call."""

from __future__ import annotations

from django.db import models

from aiwriter.models.model_price import dollars
from pulsequill.core.db import TenantModel

#: In the place of an error class while nobody knows how a call will end.
UNDER_WAY = "under_way"
#: The call of a worker that died: whether the provider got it, read it or answered, nobody can say.
INTERRUPTED = "interrupted"
#: Calls that gave no answer.
HAS_FAILED = ~models.Q(error_class__in=("", UNDER_WAY))


class GenerationStep(TenantModel):
    """Who was asked what, what it cost and how it ended. One row for each call, written before it is made."""

    generation = models.ForeignKey("aiwriter.Generation", on_delete=models.CASCADE, related_name="steps")
    role = models.CharField(max_length=20, help_text="strategist, writer, critic, editor, ...")
    task = models.CharField(max_length=40, blank=True, help_text="Which part: `writer:A`.")
    provider = models.CharField(max_length=20)
    model_requested = models.CharField(max_length=80)
    model_served = models.CharField(max_length=80, blank=True)
    fallback_from = models.CharField(max_length=80, blank=True)
    prompt_id = models.CharField(max_length=60, blank=True)
    prompt_sha256 = models.CharField(max_length=64, blank=True)
    params = models.JSONField(default=dict, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    usage_source = models.CharField(
        max_length=10,
        default="provider",
        choices=[("provider", "Provider"), ("estimated", "Estimated"), ("none", "None")],
    )
    cost_micro_usd = models.BigIntegerField(default=0)
    price = models.ForeignKey("aiwriter.ModelPrice", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    latency_ms = models.PositiveIntegerField(default=0)
    first_token_ms = models.PositiveIntegerField(null=True, blank=True)
    finish_reason = models.CharField(max_length=40, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    is_cache_hit = models.BooleanField(default=False)
    error_class = models.CharField(max_length=80, blank=True)
    provider_request_id = models.CharField(max_length=120, blank=True)
    request_sha256 = models.CharField(
        max_length=64,
        blank=True,
        help_text="Of everything that was sent: a run that takes over finds the answer by it.",
    )
    output_text = models.TextField(blank=True, help_text="What the model answered.")

    class Meta:
        indexes = [models.Index(fields=["workspace", "created_at"], name="generation_step_by_month")]

    def __str__(self) -> str:
        return f"{self.role} by {self.model_requested}"

    @property
    def cost_label(self) -> str:
        """What the call cost, for people."""
        return dollars(self.cost_micro_usd)

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended yet."""
        return self.error_class == UNDER_WAY
