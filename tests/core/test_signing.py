"""Tokens in mails and secrets at rest."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsequill.core.signing import BadSignature, decrypt, derived_key, encrypt, seal, sign, unsign


class TestSigning:
    @given(st.binary(min_size=1, max_size=64), st.integers(0, 10_000))
    def test_an_altered_token_is_refused(self, payload, place):
        token = sign("test", payload)
        place %= len(token)
        altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert unsign("test", token) == payload
        try:
            assert unsign("test", altered) == payload  # only unused padding bits may differ
        except BadSignature:
            return
        assert place == len(token) - 1

    @given(st.binary(max_size=200))
    def test_the_seal_is_hmac_sha256(self, payload):
        assert seal("test", payload) == payload + hmac.digest(derived_key("test"), payload, "sha256")[:12]

    def test_a_token_of_another_purpose_is_refused(self):
        with pytest.raises(BadSignature):
            unsign("click", sign("open", b"1"))

    @pytest.mark.parametrize("token", ["", "!", "ü", "A", "AAAA", "\x00"])
    def test_rubbish_is_refused(self, token):
        with pytest.raises(BadSignature):
            unsign("open", token)

    def test_a_secret_comes_back_from_its_stored_form(self):
        assert decrypt(encrypt("SG.secret")) == "SG.secret"
        assert b"SG.secret" not in encrypt("SG.secret")
