"""Drafts that are written by the calendar."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class DraftingSchedule(TenantModel):
    """A brief that is drafted again at fixed times; a person still approves and sends."""

    name = models.CharField(max_length=120)
    brief = models.ForeignKey("aiwriter.Brief", on_delete=models.CASCADE, related_name="+")
    crontab = models.CharField(max_length=60, help_text="Minute hour day month weekday, in the workspace's time zone.")
    every_weeks = models.PositiveSmallIntegerField(default=1, help_text="Only each n-th week.")
    counted_from_date = models.DateField(help_text="A day of the week from which weeks are counted.")
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text="The workspace's when `next_run_at` was worked out."
    )
    makes_campaign = models.BooleanField(
        default=True, help_text="A run makes a campaign with the brief; otherwise only proposed drafts."
    )
    sender = models.ForeignKey(
        "campaigns.Sender", on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="Whom its campaigns come from.",
    )  # fmt: skip
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    is_active = models.BooleanField(default=True)
    next_run_at = models.DateTimeField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    last_outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_run_at"], condition=models.Q(is_active=True), name="drafting_schedule_due")
        ]

    def __str__(self) -> str:
        return self.name


class DraftingRun(TenantModel):
    """One slot of a schedule: never two for the same."""

    class Status(models.TextChoices):
        WRITING = "writing", "Being written"
        DRAFTED = "drafted", "Draft ready"
        SKIPPED = "skipped", "Skipped"
        FAILED = "failed", "Failed"

    schedule = models.ForeignKey("campaigns.DraftingSchedule", on_delete=models.CASCADE, related_name="runs")
    slot_at = models.DateTimeField(help_text="The slot it stands for; with the schedule, its idempotency key.")
    missed = models.PositiveIntegerField(default=0, help_text="Slots before it that nobody was there to run.")
    is_manual = models.BooleanField(default=False)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WRITING)
    reason = models.CharField(max_length=300, blank=True)
    generation = models.ForeignKey(
        "aiwriter.Generation", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    campaign = models.ForeignKey(
        "campaigns.Campaign", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "slot_at"], name="drafting_run_once_a_slot")]
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(status="writing"), name="drafting_run_unfinished")
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.slot_at:%Y-%m-%d %H:%M}"
