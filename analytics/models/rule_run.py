"""The rules about machines, run again over what is kept."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class RuleRun(TenantModel):
    """One run of the rules of today over the opens and clicks of a workspace: what it changes, or would change."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    rules_version = models.PositiveSmallIntegerField()
    is_dry_run = models.BooleanField(default=True, help_text="Only shows what would change.")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.QUEUED)
    last_message_id = models.BigIntegerField(default=0, help_text="How far it has come; it goes on from here.")
    end_message_id = models.BigIntegerField(default=0, help_text="The newest message when it began.")
    messages = models.PositiveBigIntegerField(default=0, help_text="Messages with opens or clicks that were judged.")
    hits = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0, help_text="Hits of which the class changed.")
    unseen = models.PositiveBigIntegerField(
        default=0, help_text="Messages that keep their classes: archived events, or a person who was erased."
    )
    reasons = models.JSONField(default=dict, blank=True, help_text="`old class > new class and reason` -> hits.")
    before = models.JSONField(default=dict, blank=True, help_text="Campaign id -> figures before, where they change.")
    after = models.JSONField(default=dict, blank=True, help_text="Campaign id -> the same figures after.")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["workspace", "-created_at"], name="rule_run_recent")]

    def __str__(self) -> str:
        return f"rules {self.rules_version}, {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def share_done(self) -> float:
        """How far it has come, from 0 to 1."""
        if self.status == self.Status.DONE:
            return 1.0
        return round(self.last_message_id / self.end_message_id, 4) if self.end_message_id else 0.0
