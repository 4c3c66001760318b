"""Facts: every number, date, price, code, offer and claim must rest on the brief or on the brand's knowledge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aiwriter.guardrails.findings import Finding, remark
from aiwriter.guardrails.receipts import Checked

#: Kind of statement -> code of the finding, and what it says.
UNSUPPORTED = {
    "number": ("number_unsupported", "Neither the brief nor the brand's facts say “{text}”."),
    "price": ("number_unsupported", "Neither the brief nor the brand's facts name the price “{text}”."),
    "percent": ("number_unsupported", "Neither the brief nor the brand's facts say “{text}”."),
    "date": ("date_unsupported", "The brief does not mention “{text}”."),
    "time": ("date_unsupported", "The brief does not name the time “{text}”."),
    "code": ("code_unsupported", "The brief has no code “{text}”."),
    "offer": ("offer_unsupported", "The brief offers nothing like “{text}”."),
    "claim": ("claim_unsupported", "Nothing in the brief backs “{text}”."),
}


def unsupported(checked: Iterable[Checked]) -> Iterator[Finding]:
    """What nothing supports; the same words in the same place are named once."""
    seen: set[tuple[str, str, str]] = set()
    for each in checked:
        code, message = UNSUPPORTED[each.statement.kind]
        if each.is_soft:
            code = "claim_soft"
        said = (code, each.statement.text.lower(), each.where)
        if each.support is None and said not in seen:
            seen.add(said)
            yield remark(code, message.format(text=each.statement.text[:80]), each.where)
