"""SPF records, read over a real name server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from campaigns.deliverability import spf
from campaigns.deliverability.lookups import LookupFailed, Lookups
from tests.fakes.dns_server import SERVFAIL, Zone, dns_server

HOST = "northwind.io"


@pytest.fixture
def zone(settings: Any) -> Iterator[Zone]:
    with dns_server() as (address, zone):
        settings.DNS_RESOLVER = address
        yield zone


def read(text: str) -> spf.Reading:
    return spf.read(Lookups(), HOST, text)


def passes(text: str, address: str) -> bool:
    return spf.is_authorised(Lookups(), HOST, read(text).terms, address)


def test_every_lookup_of_every_inclusion_is_counted(zone: Zone) -> None:
    zone["_spf.mail.example", "TXT"] = ["v=spf1 include:a.mail.example mx ip4:192.0.2.0/24 -all"]
    zone["a.mail.example", "TXT"] = ["v=spf1 ip6:2001:db8::/32 exists:%{i}.mail.example ?all"]
    reading = read("v=spf1 a include:_spf.mail.example ptr ~all")
    assert reading.lookups == 6
    assert reading.included == {"_spf.mail.example", "a.mail.example"}


def test_ten_lookups_are_allowed_and_eleven_are_not(zone: Zone) -> None:
    ten = " ".join(f"a:h{number}.example" for number in range(10))
    assert read(f"v=spf1 {ten} -all").lookups == 10
    with pytest.raises(spf.SpfBroken, match="more than 10"):
        read(f"v=spf1 {ten} mx -all")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("v=spf1 include:nothing.example -all", "nothing.example, which has no SPF record"),
        ("v=spf1 ipv4:192.0.2.1 -all", "no part of SPF"),
        ("v=spf1 ip4:192.0.2.300 -all", "no IP address"),
        ("v=spf1 include: -all", "names nothing"),
        ("v=spf1 include:northwind.io -all", "includes itself"),
    ],
)
def test_what_receivers_stop_at_is_told(zone: Zone, text: str, why: str) -> None:
    with pytest.raises(spf.SpfBroken, match=why):
        read(text)


def test_several_records_are_as_bad_as_none(zone: Zone) -> None:
    zone[HOST, "TXT"] = ["v=spf1 -all", "something else", "V=SPF1 mx -all", "v=spf10 all"]
    with pytest.raises(spf.SpfBroken, match="2 SPF records"):
        spf.record_at(Lookups(), HOST)


@pytest.mark.parametrize(
    ("text", "address", "expected"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.77", True),
        ("v=spf1 ip4:192.0.2.0/24 -all", "192.0.3.1", False),
        ("v=spf1 ip6:2001:db8::/32 ~all", "2001:db8::1", True),
        ("v=spf1 a:mail.example -all", "192.0.2.5", True),
        ("v=spf1 a:mail.example/24 -all", "192.0.2.200", True),
        ("v=spf1 a:mail.example//64 -all", "2001:db8:5::99", True),
        ("v=spf1 a:mail.example/32//64 -all", "192.0.2.200", False),
        ("v=spf1 mx -all", "192.0.2.5", True),
        ("v=spf1 -ip4:192.0.2.5 a:mail.example -all", "192.0.2.5", False),
        ("v=spf1 include:_spf.mail.example -all", "198.51.100.9", True),
        ("v=spf1 include:_spf.mail.example -all", "192.0.2.5", False),
        ("v=spf1 redirect=_spf.mail.example", "198.51.100.9", True),
        ("v=spf1 redirect=_spf.mail.example", "192.0.2.5", False),
        ("v=spf1 some-modifier=x ?all", "192.0.2.5", False),
        ("v=spf1 exists:%{i}.example -all", "192.0.2.5", False),
        ("v=spf1 +all", "192.0.2.5", True),
    ],
)
def test_an_address_passes_as_the_record_says(zone: Zone, text: str, address: str, expected: bool) -> None:
    zone["mail.example", "A"] = ["192.0.2.5"]
    zone["mail.example", "AAAA"] = ["2001:db8:5::1"]
    zone[HOST, "MX"] = ["10 mail.example"]
    zone["_spf.mail.example", "TXT"] = ["v=spf1 ip4:198.51.100.0/24 -all"]
    assert passes(text, address) is expected


def test_long_records_come_in_pieces_and_over_tcp(zone: Zone) -> None:
    text = "v=spf1 " + " ".join(f"ip4:192.0.2.{number}" for number in range(60)) + " -all"
    zone[HOST, "TXT"] = [text]
    assert spf.record_at(Lookups(), HOST) == text
    assert zone.asked == [(HOST, "TXT")] * 2, "asked once over UDP, and again over TCP"


def test_a_name_server_that_fails_is_not_an_absent_record(zone: Zone) -> None:
    zone[HOST, "TXT"] = SERVFAIL
    with pytest.raises(LookupFailed):
        spf.record_at(Lookups(), HOST)
    assert spf.record_at(Lookups(), "nothing.example") == ""


def test_one_check_asks_each_question_once_and_ends_in_time(zone: Zone) -> None:
    lookups = Lookups()
    zone[HOST, "TXT"] = ["v=spf1 -all"]
    assert {spf.record_at(lookups, HOST) for _ in range(3)} == {"v=spf1 -all"}
    assert len(zone.asked) == 1
    with pytest.raises(LookupFailed, match="time"):
        Lookups(budget_s=0).txt(HOST)
