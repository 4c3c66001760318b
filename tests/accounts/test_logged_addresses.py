"""A request's address is logged; the token in it is not."""

from __future__ import annotations

import pytest

from pulsequill.core.logs import redact


@pytest.mark.parametrize(
    "address",
    [
        "GET /invitations/SECRETSECRETSECRETSECRET",
        "GET /password/reset/SECRETuid/abc-SECRET",
        "POST /u/SECRETSECRETSECRETSECRET",
        "GET /p/SECRETSECRETSECRETSECRET?x=1",
        "GET /ws/workspace?ticket=SECRET",
    ],
)
def test_tokens_in_addresses_are_not_logged(address: str) -> None:
    assert "SECRET" not in redact({"request": address})["request"]


def test_plain_addresses_stay_readable() -> None:
    assert redact("GET /campaigns/new?page=2") == "GET /campaigns/new?page=2"
