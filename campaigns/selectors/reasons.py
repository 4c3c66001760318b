"""What a reason of the ledger means to a reader of a page or of a file."""

from __future__ import annotations

from campaigns.tickets import FOR_CANARY, FOR_TEST, HELD_OUT

#: Reasons that are codes; all others are sentences already.
WORDS: dict[str, str] = {
    "suppressed_hard_bounce": "The address bounced before",
    "suppressed_complaint": "Complained before",
    "suppressed_unsubscribe": "Has unsubscribed",
    "suppressed_manual": "Suppressed by hand",
    "unsubscribed": "Left the list",
    "pending_confirmation": "Has not confirmed yet",
    "excluded": "On an excluded list or segment",
    "contact_deleted": "The contact was deleted",
    "cancelled": "The campaign was cancelled",
    HELD_OUT: "Held out on purpose, to compare with",
    FOR_TEST: "Waits for the result of the test",
    FOR_CANARY: "Waits while the first readers are watched",
}


def in_words(reason: str) -> str:
    """Return a reason as a sentence for people."""
    return WORDS.get(reason, reason)
