"""The limits that pause a campaign by itself: what they are, and what may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulsequill.core.errors import FieldError, Invalid


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate that pauses a campaign when it is reached."""

    #: Share of messages; reached means stopped.
    default: float
    #: What is counted, and of what.
    label: str
    of: str
    #: What to do about it.
    advice: str


#: Key of `Campaign.brake` -> the limit. Bounces: 5 % is where Amazon SES puts an account under review, and the figure
#: of RULES.md section 3. Complaints: Gmail and Yahoo ask for less than 0.30 %. Unsubscribes: our judgement, four times
#: what is called a bad mailing.
RATES: dict[str, Limit] = {
    "bounce_rate": Limit(
        0.05, "Addresses that do not exist", "sent",
        "The list is old, bought or badly typed: clean it, or send to those who opened lately.",
    ),
    "complaint_rate": Limit(
        0.003, "Marked as spam", "that arrived",
        "These people did not expect this mail: look at how they came to the list before you go on.",
    ),
    "unsubscribe_rate": Limit(
        0.02, "Unsubscribed", "that arrived",
        "The mail is not what these people signed up for: a smaller segment may want it.",
    ),
}  # fmt: skip
#: The other key: whether links that lead nowhere stop it.
DEAD_LINKS = "dead_links"
DEFAULTS: dict[str, float | bool | None] = {**{name: limit.default for name, limit in RATES.items()}, DEAD_LINKS: True}
#: A limit below this could never be told from chance in any campaign.
LEAST, MOST = 0.0001, 1.0


def limits_of(stored: Mapping[str, Any]) -> dict[str, float | bool | None]:
    """Return every limit of a campaign: what was chosen, and the defaults for the rest. None is switched off."""
    return {name: stored.get(name, default) for name, default in DEFAULTS.items()}


def parse_brake(given: Any, *, field: str = "brake") -> dict[str, Any]:
    """Return what `Campaign.brake` stores: the limits that differ from the defaults.

    Args:
        given: `{bounce_rate, complaint_rate, unsubscribe_rate, dead_links}`, each of which may be left out; a rate is a
            share (0.05 is 5 %) or null for "never".
        field: how errors name it.

    Raises:
        Invalid: something else.
    """
    if not isinstance(given, Mapping):
        raise _refuse(field, "not_an_object", "The limits are an object.")
    if unknown := set(given) - set(DEFAULTS):
        name = min(map(str, unknown))
        raise _refuse(f"{field}.{name}", "unknown_field", f"There is no limit called {name[:60]}.")
    for name in RATES:
        rate = given.get(name)
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float)):
            raise _refuse(f"{field}.{name}", "not_a_number", "A limit is a share such as 0.05, or null for none.")
        if rate is not None and not LEAST <= rate <= MOST:
            raise _refuse(f"{field}.{name}", "out_of_range", "A limit lies between 0.01 % and 100 %.")
    if not isinstance(given.get(DEAD_LINKS, True), bool):
        raise _refuse(f"{field}.{DEAD_LINKS}", "not_a_boolean", "This is true or false.")
    return {name: value for name, value in given.items() if value != DEFAULTS[name]}


def _refuse(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, code, detail)])
