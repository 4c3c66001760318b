"""The sender's postal address: CAN-SPAM and CASL ask for it."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity


def find(examined: Examined) -> Iterator[Finding]:
    """Find a workspace without an address, and mails with a footer of their own that leave it out."""
    address = examined.workspace.postal_address.strip()
    if not address:
        yield Finding(
            "address_missing",
            Severity.BLOCK,
            "The workspace has no postal address",
            examined.page("accounts:settings"),
            detail="The law asks for it in every marketing mail; it stands in the footer.",
        )
        return
    for label, compiled in examined.compiled.items():
        if "workspace.postal_address" not in compiled.tags and address not in compiled.text:
            yield Finding(
                "address_not_shown",
                Severity.BLOCK,
                f"The mail{examined.naming(label)} does not show the postal address",
                examined.composer,
                detail="It has its own unsubscribe link: add {{workspace.postal_address}} beside it.",
            )
