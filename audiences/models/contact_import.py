"""An import of contacts and the rows it could not take."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class ContactImport(TenantModel):
    """One uploaded file on its way into the audience."""

    class Status(models.TextChoices):
        MAPPING = "mapping", "Choose columns"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        UNDOING = "undoing", "Undoing"
        UNDONE = "undone", "Undone"

    file = models.FileField(max_length=300)
    file_name = models.CharField(max_length=200)
    columns = models.JSONField(default=list, help_text="Name, guess, confidence and samples of each column.")
    list = models.ForeignKey(
        "audiences.ContactList", on_delete=models.SET_NULL, null=True, blank=True, related_name="imports"
    )
    mapping = models.JSONField(default=dict, help_text="Column name to field key; absent columns are skipped.")
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=2, blank=True)
    has_header = models.BooleanField(default=True)
    update_existing = models.BooleanField(default=True)
    consent_source = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.MAPPING)
    failure = models.CharField(max_length=300, blank=True)
    total_rows = models.PositiveIntegerField(default=0)
    processed = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0, help_text="Taken in, but left unsubscribed.")
    is_cancel_requested = models.BooleanField(default=False)
    run_id = models.UUIDField(null=True, blank=True, help_text="The run that may write; an older one is fenced off.")
    attempt_no = models.PositiveSmallIntegerField(default=0, help_text="How often a worker took it up.")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["workspace", "-created_at"], name="contact_import_recent")]

    def __str__(self) -> str:
        return self.file_name


class ContactImportReject(models.Model):
    """A row that was not imported, as it stood in the file, and why."""

    contact_import = models.ForeignKey(ContactImport, on_delete=models.CASCADE, related_name="rejects")
    row_number = models.PositiveIntegerField(help_text="Row as a spreadsheet counts: the header is row 1.")
    reason = models.CharField(max_length=40)
    detail = models.CharField(max_length=300)
    cells = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact_import", "row_number"], name="contact_import_reject_row")
        ]

    def __str__(self) -> str:
        return f"Row {self.row_number}: {self.detail}"
