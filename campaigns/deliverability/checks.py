"""What stands in the DNS, held against what should, in words for people who do not run name servers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from ipaddress import ip_network
from typing import Any

from campaigns.deliverability import spf
from campaigns.deliverability.lookups import LookupFailed, Lookups
from campaigns.deliverability.records import Record, records_for, spf_record
from campaigns.deliverability.routes import Route
from campaigns.domain_names import with_parents
from campaigns.models import SendingDomain

SENDGRID_TARGET = ".sendgrid.net"
_SHOWN = 400


class State(StrEnum):
    """How one record stands."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    #: The DNS did not answer.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One record: what we looked for, what we found, and what to do."""

    kind: str
    type: str
    host: str
    state: State
    is_required: bool
    #: What to publish; "" when it is right or only the provider knows.
    publish: str
    found: str
    message: str
    to_do: str = ""

    @property
    def is_right(self) -> bool:
        """Whether nothing has to be done."""
        return self.state is State.RIGHT

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored and shown."""
        return {**asdict(self), "is_right": self.is_right}


@dataclass(frozen=True, slots=True)
class Case:
    """One record that is to be looked up."""

    lookups: Lookups
    record: Record
    domain: SendingDomain
    route: Route


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check found; `Finding` without what the record itself says."""

    state: State
    message: str
    to_do: str = ""
    found: str = ""
    #: In place of the record's own value, where another record is there already.
    publish: str = ""


def check(domain: SendingDomain, route: Route) -> list[Finding]:
    """Look all records of a domain up at the same time. A lookup that fails is a finding, never an exception."""
    lookups = Lookups()
    records = records_for(domain, route)
    with ThreadPoolExecutor(max_workers=len(records)) as pool:
        return list(pool.map(lambda record: _examine(Case(lookups, record, domain, route)), records))


def all_right(domain: SendingDomain, route: Route) -> list[Finding]:
    """Return the findings of a domain that publishes what it should: for the demo, whose domain no DNS knows."""
    return [
        Finding(one.kind, one.type, one.host, State.RIGHT, one.is_required, "", one.value, one.purpose)
        for one in records_for(domain, route)
    ]


def _examine(case: Case) -> Finding:
    record = case.record
    try:
        answer = _CHECKS[record.kind](case)
    except LookupFailed:
        answer = Answer(State.UNKNOWN, "The DNS did not answer, so nothing is known.", "Check again in a minute.")
    return Finding(
        kind=record.kind,
        type=record.type,
        host=record.host,
        state=answer.state,
        is_required=record.is_required,
        publish="" if answer.state is State.RIGHT else answer.publish or record.value,
        found=answer.found[:_SHOWN],
        message=answer.message,
        to_do=answer.to_do,
    )


# --- SPF -------------------------------------------------------------------------------------------------------------
def _spf(case: Case) -> Answer:
    found = [text for text in case.lookups.txt(case.record.host) if spf.is_spf(text)]
    shown = "\n".join(found)
    try:
        text = spf.record_at(case.lookups, case.record.host)
        if not text:
            return Answer(State.MISSING, "There is no SPF record.", "Add this record.")
        reading = spf.read(case.lookups, case.record.host, text)
        open_to_all = any(term.name == "all" and term.sign == "+" for term in reading.terms)
        if open_to_all:
            return Answer(State.WRONG, "It ends with +all: everybody may send as you.", "Write ~all in its place.",
                          shown, publish=_with_ours(found, case.route))  # fmt: skip
        absent = [one for one in case.route.authorise if not _covers(case.lookups, case.record.host, reading, one)]
    except spf.SpfBroken as broken:
        if len(found) > 1:
            return Answer(State.WRONG, str(broken), "Replace them all with this one record.", shown,
                          publish=_with_ours(found, case.route))  # fmt: skip
        return Answer(State.WRONG, str(broken), "Correct the record; receivers ignore it as it is.", shown)
    if absent:
        return Answer(State.WRONG, f"It does not name our mail server ({', '.join(absent)}).",
                      "Change your record to this one: it keeps what you have.", shown,
                      publish=_with_ours(found, case.route))  # fmt: skip
    words = f"It names who may send for you, with {reading.lookups} of {spf.MOST_LOOKUPS} DNS lookups."
    return Answer(State.RIGHT, words, found=shown)


def _covers(lookups: Lookups, host: str, reading: spf.Reading, mechanism: str) -> bool:
    """Tell whether a record passes what one of our mechanisms stands for."""
    name, _, value = mechanism.lower().partition(":")
    if name == "include":
        return value in reading.included
    if any((term.sign, term.name, term.value.lower()) == ("+", name, value) for term in reading.terms):
        return True
    addresses = lookups.addresses(value) if name == "a" else [str(ip_network(value, strict=False)[0])]
    return bool(addresses) and all(spf.is_authorised(lookups, host, reading.terms, address) for address in addresses)


def _with_ours(found: list[str], route: Route) -> str:
    """Return one record that keeps what is there already and passes our servers too."""
    kept = [word for text in found for word in text.split()[1:] if word.lower().lstrip("+-~?") != "all"]
    ends = [word for text in found for word in text.split() if word.lower() in {"-all", "~all"}]
    words = dict.fromkeys([*kept, *route.authorise])
    return " ".join(["v=spf1", *words, *ends[:1]]) if ends else spf_record(tuple(words))


# --- DKIM ------------------------------------------------------------------------------------------------------------
def _tags(text: str) -> dict[str, str]:
    """Return the tags of a `name=value;` list (RFC 6376 section 3.2), blanks taken out of the values."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): "".join(value.split()) for name, _, value in pairs}


def _own_dkim(case: Case) -> Answer:
    found = [text for text in case.lookups.txt(case.record.host) if "p" in _tags(text)]
    shown = "\n".join(found)
    if not found:
        return Answer(State.MISSING, "Our key is not published, so your mail goes out unsigned.", "Add this record.")
    if len(found) > 1:
        return Answer(State.WRONG, "There are several keys under one name; receivers may take the wrong one.",
                      "Keep only this record.", shown)  # fmt: skip
    tags = _tags(found[0])
    if not tags["p"]:
        return Answer(State.WRONG, "The key is marked as withdrawn.", "Replace the record with this one.", shown)
    if tags["p"] != case.domain.dkim_public_key:
        return Answer(State.WRONG, "Another key stands there, or only a part of ours.",
                      "Replace the record with this one; some name servers want it in pieces of 255 characters.",
                      shown)  # fmt: skip
    if "y" in tags.get("t", "").split(":"):
        return Answer(State.WRONG, "It is marked as a test (t=y), so receivers count the mail as unsigned.",
                      "Take t=y out.", shown)  # fmt: skip
    if "sha256" not in tags.get("h", "sha256").split(":") or tags.get("k", "rsa") != "rsa":
        return Answer(State.WRONG, "It does not allow the kind of signature that we make.",
                      "Replace the record with this one.", shown)  # fmt: skip
    return Answer(State.RIGHT, "Our key is published: your mail is signed.", found=shown)


def _sendgrid_dkim(case: Case) -> Answer:
    target = case.lookups.cname(case.record.host)
    where = "Copy its value from SendGrid: Settings, Sender Authentication, Authenticate Your Domain."
    if not target:
        return Answer(State.MISSING, "SendGrid’s key is not published.", where)
    if not target.endswith(SENDGRID_TARGET):
        return Answer(State.WRONG, "It points somewhere else than to SendGrid.", where, target)
    if not any(_tags(text).get("p") for text in case.lookups.txt(case.record.host)):
        return Answer(State.WRONG, "It points to SendGrid, but there is no key.",
                      "Press Verify in SendGrid, and check the value there.", target)  # fmt: skip
    return Answer(State.RIGHT, "SendGrid’s key is published: your mail is signed.", found=target)


def _dkim(case: Case) -> Answer:
    return (_sendgrid_dkim if case.route.signs_itself else _own_dkim)(case)


# --- DMARC -----------------------------------------------------------------------------------------------------------
_POLICY_WORDS = {
    "none": "It watches only (p=none). When its reports look right, p=quarantine keeps fakes out.",
    "quarantine": "Mail that only pretends to be yours goes to spam.",
    "reject": "Mail that only pretends to be yours is refused.",
}


def _dmarc(case: Case) -> Answer:
    for name in with_parents(case.domain.name):
        found = [text for text in case.lookups.txt(f"_dmarc.{name}") if _tags(text).get("v", "").upper() == "DMARC1"]
        if found:
            return _policy(found, case.domain.name, name)
    return Answer(State.MISSING, "There is no DMARC record.", "Add this record.")


def _policy(found: list[str], name: str, at: str) -> Answer:
    """Judge the record that applies to a domain: its own, or the one of a domain above it."""
    shown = "\n".join(found)
    if len(found) > 1:
        return Answer(State.WRONG, "There is more than one DMARC record; receivers accept none of them then.",
                      "Keep one.", shown, publish=found[0])  # fmt: skip
    tags = _tags(found[0])
    inherited = at != name
    policy = (tags.get("sp") if inherited else None) or tags.get("p", "")
    if policy.lower() not in _POLICY_WORDS:
        return Answer(State.WRONG, "It says no policy that receivers know (p=none, quarantine or reject).",
                      "Replace the record with this one.", shown)  # fmt: skip
    words = [_POLICY_WORDS[policy.lower()]]
    if inherited:
        words.insert(0, f"It stands at {at}, for all names below it.")
    if tags.get("adkim", "r").lower() == "s":
        words.append(f"It asks for exact matches (adkim=s), so send from @{name} and from no name below it.")
    return Answer(State.RIGHT, " ".join(words), found=shown)


# --- the host of return paths ----------------------------------------------------------------------------------------
def _return_path(case: Case) -> Answer:
    hosts = case.lookups.mx(case.record.host)
    shown = "\n".join(hosts)
    if not hosts:
        return Answer(State.MISSING, "Bounces go to your From address, where nobody counts them.", "Add this record.")
    if hosts != [case.route.bounce_host]:
        return Answer(State.WRONG, "Bounces are taken to another server.", "Keep only this record.", shown)
    return Answer(State.RIGHT, "Bounces come back to us.", found=shown)


_CHECKS: dict[str, Callable[[Case], Answer]] = {
    "spf": _spf,
    "dkim": _dkim,
    "dkim2": _dkim,
    "dmarc": _dmarc,
    "return_path": _return_path,
    "return_path_spf": _spf,
}
