"""Does the mail say only what can be shown? Held against brief, brand facts and accepted claims."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

from aiwriter.agents.contract import evidence_of
from aiwriter.agents.inputs import data_of, informed
from aiwriter.guardrails import Evidence, Receipt, check_statements
from aiwriter.selectors import accepted_claims
from campaigns.models import Campaign, Variant
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

_HREF = re.compile(r"""<a\b[^>]*?\shref\s*=\s*(["'])(.*?)\1""", re.IGNORECASE | re.DOTALL)
#: How many unsupported statements one finding quotes.
QUOTED = 4


@dataclass(frozen=True, slots=True)
class Stated:
    """One statement of a variant with what it rests on; `must_be_accepted` when it rests on nothing."""

    label: str
    receipt: Receipt
    must_be_accepted: bool


def has_brief(examined: Examined) -> bool:
    """Whether there is a brief to hold the mail against."""
    return examined.campaign.brief is not None


def evidence(campaign: Campaign) -> Evidence | None:
    """Return what a campaign may state; None without a brief: then nobody said what is true."""
    if campaign.brief is None:
        return None
    brief = informed(data_of(campaign.brief, campaign.workspace), campaign.workspace)
    return evidence_of(brief, accepted_claims(campaign.workspace, campaign.pk))


def statements(examined: Examined) -> list[Stated]:
    """Return every statement of every variant, once for each variant and wording, what is unsupported first."""
    known = evidence(examined.campaign)
    if known is None:
        return []
    found: dict[tuple[str, str, str], Stated] = {}
    for variant in examined.variants:
        checked, receipts = check_statements(
            subject=variant.subject,
            preview_text=variant.preview_text,
            blocks=_blocks(variant, examined),
            evidence=known,
        )
        soft = {each.statement.text for each in checked if each.is_soft}
        for receipt in receipts:
            is_open = (
                receipt["support"] is None and receipt["text"] not in soft and not _is_address_by_hand(receipt, variant)
            )
            found.setdefault(
                (variant.label, receipt["kind"], receipt["text"].lower()), Stated(variant.label, receipt, is_open)
            )
    return sorted(found.values(), key=lambda stated: not stated.must_be_accepted)


def _is_address_by_hand(receipt: Receipt, variant: Variant) -> bool:
    """Whether a person gave a link its address: it does not stand in the draft that was adopted, if one was."""
    drafted = json.dumps(variant.draft.blocks) if variant.draft else ""
    return receipt["kind"] == "link" and receipt["text"] not in drafted


def _blocks(variant: Variant, examined: Examined) -> list[dict[str, Any]]:
    """Return what readers see of a body; of source code that is its plain text, and its links."""
    if variant.format == Variant.Format.BLOCKS:
        return variant.body if isinstance(variant.body, list) else []
    compiled = examined.compiled.get(variant.label)
    if compiled is None:
        return []
    links = dict.fromkeys(unescape(url) for _, url in _HREF.findall(compiled.html))
    return [{"type": "text", "text": compiled.text}, *({"type": "button", "url": url} for url in links)]


def find(examined: Examined) -> Iterator[Finding]:
    """Find statements that neither the brief nor the brand's facts support and that nobody answers for."""
    open_ones = [stated for stated in statements(examined) if stated.must_be_accepted]
    for label in dict.fromkeys(stated.label for stated in open_ones):
        texts = [stated.receipt["text"] for stated in open_ones if stated.label == label]
        listed = ", ".join(f"“{text[:60]}”" for text in texts[:QUOTED])
        more = f" and {len(texts) - QUOTED} more" if len(texts) > QUOTED else ""
        yield Finding(
            "claims_unsupported",
            Severity.BLOCK,
            f"Nothing supports {listed}{more}{examined.naming(label)}",
            examined.page("campaigns:claims"),
            detail="Add the fact to the brief or to the brand's facts, change the words, or answer for them yourself.",
        )
