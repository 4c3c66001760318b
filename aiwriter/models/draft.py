"""What the writer proposes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

from django.db import models

from pulsequill.core.db import TenantModel

_INVERTED_SECTION = re.compile(r"\{\{\^(\w+)\}\}.*?\{\{/\1\}\}", re.DOTALL)
_SECTION_EDGE = re.compile(r"\{\{[#/]\w+\}\}")
_MERGE_TAG = re.compile(r"\{\{\{?\s*([\w.]+)\s*\}?\}\}")
_TAG = re.compile(r"<[^>]+>")


def readable_text(blocks: Iterable[dict[str, Any]]) -> str:
    """Return all words of a block list in reading order, merge tags as `‹first name›`."""
    pieces = (str(b.get("html") or b.get("text") or b.get("title") or b.get("label") or "") for b in blocks)
    text = html.unescape(_TAG.sub(" ", " ".join(pieces).replace("<li>", " • ")))
    text = _SECTION_EDGE.sub("", _INVERTED_SECTION.sub("", text))
    text = _MERGE_TAG.sub(lambda match: f"‹{re.sub('[._]', ' ', match[1])}›", text)
    return " ".join(text.split())


class Draft(TenantModel):
    """One angle: subject, preview text and the composer's own block list."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        ACCEPTED = "accepted", "Accepted"
        EDITED = "edited", "Edited"
        REJECTED = "rejected", "Rejected"

    generation = models.ForeignKey("aiwriter.Generation", on_delete=models.CASCADE, related_name="drafts")
    position = models.PositiveSmallIntegerField()
    angle = models.CharField(max_length=120)
    subject = models.CharField(max_length=300)
    preview_text = models.CharField(max_length=300, blank=True)
    blocks = models.JSONField(default=list)
    guardrails = models.JSONField(
        default=dict, blank=True, help_text="{ok, findings:[{code, severity, message, where}]}"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    is_ai_generated = models.BooleanField(default=False)
    voice = models.JSONField(
        default=dict,
        blank=True,
        help_text="How well it sounds like the brand: {score, paragraphs: [{block, score, reasons, nearest}]}.",
    )
    #: Also [{generation, parts}] for each part that was rewritten since: that generation keeps the part before.
    made_from = models.JSONField(
        default=list, blank=True, help_text="Drafts whose parts it mixes: [{draft, parts}]; empty for a written one."
    )
    edit_distance = models.FloatField(null=True, blank=True)
    decided_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["generation", "position"], name="draft_position_unique")]

    def __str__(self) -> str:
        return self.subject

    @property
    def letter(self) -> str:
        """A, B or C: what the page calls the angle."""
        return chr(ord("A") + self.position)

    @property
    def made_from_drafts(self) -> list[str]:
        """The ids of the drafts that it mixes; empty for a written one."""
        return [entry["draft"] for entry in self.made_from if "draft" in entry]

    @property
    def rewritten_parts(self) -> list[str]:
        """The parts that were rewritten and can be brought back, the newest last."""
        return [name for entry in self.made_from if "generation" in entry for name in entry["parts"]]

    @property
    def sketch(self) -> str:
        """What the body says in running text, for a card or a list; headings and buttons are left out."""
        return readable_text(block for block in self.blocks if block.get("type") in ("text", "quote", "product"))

    @property
    def open_claims(self) -> int:
        """How many statements nothing supports."""
        return sum(receipt["support"] is None for receipt in self.guardrails.get("receipts", ()))

    @property
    def receipts_label(self) -> str:
        """How its statements are supported, in a few words; empty when it states nothing."""
        count = len(self.guardrails.get("receipts", ()))
        if self.open_claims:
            return f"{self.open_claims} claim{'s'[: self.open_claims != 1]} open"
        return f"{count} receipt{'s'[: count != 1]}" if count else ""

    @property
    def findings_label(self) -> str:
        """How the checks went, in a few words."""
        open_count = sum(finding["severity"] != "info" for finding in self.guardrails.get("findings", ()))
        if open_count == 0:
            return "All checks passed"
        return "1 thing to check" if open_count == 1 else f"{open_count} things to check"
