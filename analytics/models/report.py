"""Reports that are kept, mailed by the calendar and shared by a link."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantManager, TenantModel


class Report(TenantModel):
    """A question about several campaigns that is kept and can be asked again."""

    name = models.CharField(max_length=120)
    query = models.JSONField(default=dict)
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return self.name


class ReportSchedule(TenantModel):
    """When a report is mailed; slots are claimed by beat, never two times the same."""

    report = models.OneToOneField("analytics.Report", on_delete=models.CASCADE, related_name="schedule")
    crontab = models.CharField(max_length=60, help_text="Minute hour day month weekday, on the workspace's clocks.")
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text="The workspace's when `next_run_at` was worked out."
    )
    is_active = models.BooleanField(default=True)
    next_run_at = models.DateTimeField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["next_run_at"], condition=models.Q(is_active=True), name="report_schedule_due")]

    def __str__(self) -> str:
        return f"{self.report_id} {self.crontab}"


class ReportRecipient(TenantModel):
    """Who gets a report: a member as long as they are one, or an address until its owner stops it."""

    schedule = models.ForeignKey("analytics.ReportSchedule", on_delete=models.CASCADE, related_name="recipients")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    email = models.CharField(max_length=254, help_text="Lower case.")
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="They asked for no more.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "email"], name="report_recipient_unique")]

    def __str__(self) -> str:
        return self.email


class ReportMail(models.Model):
    """One mail of a report: its unique key, recipient and slot, is what keeps it from going out twice."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    recipient = models.ForeignKey("analytics.ReportRecipient", on_delete=models.CASCADE, related_name="mails")
    slot_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.QUEUED)
    reason = models.CharField(max_length=200, blank=True)
    refusals = models.PositiveSmallIntegerField(default=0, help_text="How often the mail server has not taken it.")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Not before then; while it is sent: since when.")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipient", "slot_at"], name="report_mail_once_a_slot")]
        indexes = [models.Index(fields=["created_at"], condition=models.Q(status="queued"), name="report_mail_queued")]

    def __str__(self) -> str:
        return f"{self.recipient_id} {self.slot_at:%Y-%m-%d %H:%M}"


class ReportShare(TenantModel):
    """A link to a report for people without an account: figures only, for a time, until it is taken back."""

    report = models.ForeignKey("analytics.Report", on_delete=models.CASCADE, related_name="shares")
    token_hash = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8, help_text="The token's first letters, to tell links apart.")
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.report_id} {self.hint}…"
