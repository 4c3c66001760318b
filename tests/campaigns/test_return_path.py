"""Return paths: each message's own, readable only by us, and never a host that nobody reads."""

from __future__ import annotations

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from campaigns.delivery.return_path import ReturnPath, read, return_path_for
from campaigns.models import SendingDomain
from pulsequill.core.signing import BadSignature
from tests.campaigns.making import make_workspace

PATH = ReturnPath(from_email="hello@northwind.example", host="bounce.northwind.example")


@given(st.integers(min_value=1, max_value=2**63 - 1))
def test_a_bounce_names_its_message_however_servers_write_the_address(message_id: int) -> None:
    address = PATH.envelope_sender(message_id)
    local, _, host = address.partition("@")
    assert host == "bounce.northwind.example"
    assert len(local) < 64
    assert local == local.lower()
    assert {read(address), read(address.upper()), read(address.title())} == {message_id}


@pytest.mark.parametrize(
    "address",
    ["", "hello@northwind.example", "b+@x.example", "b+aaaa@x.example", "b+" + "a" * 30 + "@x.example", "b+ü@x.example",
     "b+" + "1" * 24 + "@x.example", "b+" + "a" * 400 + "@x.example"],
)  # fmt: skip
def test_an_address_that_is_not_ours_is_refused(address: str) -> None:
    with pytest.raises(BadSignature):
        read(address)


def test_no_letter_of_it_can_be_changed() -> None:
    local, _, host = PATH.envelope_sender(1234567).partition("@")
    for place in range(2, len(local) - 1):
        other = "b" if local[place] == "a" else "a"
        with pytest.raises(BadSignature):
            read(f"{local[:place]}{other}{local[place + 1 :]}@{host}")


def test_mail_without_a_ledger_row_or_without_a_bounce_host_returns_to_the_from_address() -> None:
    assert PATH.envelope_sender(None) == "hello@northwind.example"
    assert ReturnPath(from_email="hello@northwind.example", host="").envelope_sender(7) == "hello@northwind.example"


@pytest.mark.django_db
def test_the_bounce_host_is_used_once_it_was_seen_in_the_dns() -> None:
    workspace = make_workspace()
    domain = SendingDomain.objects.create(workspace=workspace, name="xn--bcher-kva.example")
    assert return_path_for(workspace.pk, "hallo@bücher.example").host == ""
    domain.return_path_verified_at = timezone.now()
    domain.save()
    path = return_path_for(workspace.pk, "hallo@Bücher.example")
    assert path.envelope_sender(9).endswith("@bounce.xn--bcher-kva.example")
    assert read(path.envelope_sender(9)) == 9
    assert return_path_for(make_workspace().pk, "hallo@bücher.example").envelope_sender(9) == (
        "hallo@xn--bcher-kva.example"
    )
