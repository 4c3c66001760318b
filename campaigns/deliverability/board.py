"""What a page or a program is shown about a domain: each record to publish, beside what the last check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from campaigns.deliverability.records import LABELS, records_for
from campaigns.deliverability.routes import Route
from campaigns.models import SendingDomain

UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Row:
    """One record: what to publish and how it stands."""

    kind: str
    label: str
    type: str
    host: str
    #: What to publish, made to fit with what is there already. Empty: only the provider knows.
    value: str
    is_required: bool
    purpose: str
    #: `right`, `wrong`, `missing`, `unknown` (the DNS did not answer) or `unchecked`.
    state: str
    found: str
    message: str
    to_do: str

    def as_json(self) -> dict[str, Any]:
        """Return it as `/v1` shows it."""
        return asdict(self)


def board(domain: SendingDomain, route: Route) -> list[Row]:
    """Return the rows of a domain whose mail leaves by `route`, in the order of publishing."""
    findings = {(one["kind"], one["host"]): one for one in domain.findings}
    rows = []
    for record in records_for(domain, route):
        finding = findings.get((record.kind, record.host), {})
        rows.append(
            Row(
                kind=record.kind,
                label=LABELS[record.kind],
                type=record.type,
                host=record.host,
                value=finding.get("publish") or record.value,
                is_required=record.is_required,
                purpose=record.purpose,
                state=finding.get("state", UNCHECKED),
                found=finding.get("found", ""),
                message=finding.get("message", ""),
                to_do=finding.get("to_do", ""),
            )
        )
    return rows
