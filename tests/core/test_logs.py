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


def test_a_row_that_the_database_quotes_is_not_logged_and_the_rest_of_the_error_is():
    error = (
        'IntegrityError: duplicate key value violates "once"\nDETAIL:  Key (email)=(mia@example.com) already exists.\n'
        "CONTEXT:  COPY event, line 1\nmia@example.com\n\nThe above exception was the direct cause"
    )
    written = redact({"exception": error})["exception"]
    assert "mia@example.com" not in written
    assert written.startswith('IntegrityError: duplicate key value violates "once"\nDETAIL: [redacted]')
    assert written.endswith("The above exception was the direct cause")
