"""Secrets never reach a log line."""

from __future__ import annotations

import pytest

from pulsequill.core.logs import REDACTED, redact


class TestRedaction:
    @pytest.mark.parametrize(
        "secret",
        [
            "SG.abcdefghijkl.mnopqrstuvwxyz",
            "sk-proj-abcdefghijklmnop",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "pq_live_12345678_abcdefghijklmnopqrstuvwxyz123456",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        ],
    )
    def test_a_credential_never_reaches_a_log_line(self, secret):
        line = redact({"event": f"sent with {secret} now", "nested": [{"deep": secret}], "password": "x"})
        assert secret not in str(line)
        assert line["password"] == REDACTED

    def test_figures_stay_readable(self):
        assert redact({"input_tokens": 12, "event": "done"}) == {"input_tokens": 12, "event": "done"}
