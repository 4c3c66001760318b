"""One run of the writer over a brief."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from aiwriter.models.draft import readable_text
from aiwriter.models.model_price import dollars
from pulsequill.core.db import TenantModel

if TYPE_CHECKING:
    from aiwriter.models.draft import Draft


class Generation(TenantModel):
    """From the brief to its drafts: state, route and cost. Its steps are the audit trail."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        BLOCKED = "blocked", "Blocked"

    class Origin(models.TextChoices):
        AI = "ai", "AI model"
        OFFLINE_TEMPLATE = "offline_template", "Template, no AI model"

    class Kind(models.TextChoices):
        DRAFTS = "drafts", "Drafts"
        SUBJECT_LINES = "subject_lines", "Subject lines"
        REWRITE = "rewrite", "Rewrite"
        CTA = "cta", "Calls to action"
        ALT_TEXT = "alt_text", "Alt texts"
        PART = "part", "Part of a draft"
        BRIEF = "brief", "Proposed brief"
        VOICE = "voice", "Brand voice"
        SEGMENT = "segment", "Segment rules"
        INSIGHT = "insight", "Insight"
        INDEX = "index", "Search index"

    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.DRAFTS)
    brief = models.ForeignKey(
        "aiwriter.Brief", on_delete=models.CASCADE, null=True, blank=True, related_name="generations"
    )
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    origin = models.CharField(max_length=20, choices=Origin.choices, blank=True)
    engine = models.CharField(max_length=20, blank=True)
    provider = models.CharField(max_length=20, blank=True)
    model = models.CharField(max_length=80, blank=True)
    route_reason = models.CharField(max_length=200, blank=True)
    cost_micro_usd = models.BigIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.CharField(max_length=300, blank=True)
    is_cancel_requested = models.BooleanField(default=False)
    campaign_id = models.UUIDField(
        null=True, blank=True, help_text="The campaign it was asked for: an id, because a later app owns campaigns."
    )
    request = models.JSONField(
        default=dict, blank=True, help_text="What was asked besides the brief: text and instruction of a rewrite."
    )
    result = models.JSONField(
        default=dict, blank=True, help_text="What came back besides drafts: lines, or the rewritten text."
    )
    lease_id = models.UUIDField(null=True, blank=True, help_text="The run that works on it.")
    leased_until = models.DateTimeField(null=True, blank=True, help_text="When another run may take over.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-created_at"], name="generation_recent"),
            models.Index(
                fields=["created_at"],
                name="generation_unfinished",
                condition=models.Q(status__in=["queued", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def cost_label(self) -> str:
        """What it cost, for people."""
        return dollars(self.cost_micro_usd)

    @property
    def title(self) -> str:
        """What it was about, in a line."""
        if self.brief:
            return self.brief.goal
        return str(self.request.get("text", ""))[:200] or self.get_kind_display()

    @property
    def status_line(self) -> str:
        """The state in one sentence."""
        return " ".join(filter(None, (STATUS_LINES[self.Status(self.status)], self.error_detail)))

    @property
    def part_before(self) -> str:
        """The words of the part that was written anew, before it was."""
        return _words(self.result.get("before"))

    @property
    def part_after(self) -> str:
        """The words of the part that was written anew."""
        return _words(self.result.get("after"))

    @property
    def ordered_drafts(self) -> list[Draft]:
        """The drafts by position; uses what was prefetched."""
        return sorted(self.drafts.all(), key=lambda draft: draft.position)


def _words(part: Any) -> str:
    return readable_text([part]) if isinstance(part, dict) else str(part or "")


STATUS_LINES = {
    Generation.Status.QUEUED: "Waiting for the writer…",
    Generation.Status.RUNNING: "Writing…",
    Generation.Status.SUCCEEDED: "Ready.",
    Generation.Status.FAILED: "The writer could not finish.",
    Generation.Status.CANCELLED: "Stopped.",
    Generation.Status.BLOCKED: "Stopped before any cost.",
}
