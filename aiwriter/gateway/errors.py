"""What can go wrong between us and a provider, as codes; and which SDK exception means which.

The table is checked against langchain-core 1.7, openai 3.54 and anthropic 2.12. LangChain's `Model...Error`
classes also subclass those of the SDKs. What they do not cover (HTML with status 200, no choices) arrives as
a plain error.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

After = Literal["retry", "fallback", "fail"]


@dataclass(frozen=True)
class Fault:
    """A code, the sentence for people, and what the gateway does next."""

    code: str
    detail: str
    after: After


FAULTS = {
    fault.code: fault
    for fault in (
        Fault("provider_auth", "The provider does not accept the key.", "fallback"),
        Fault("provider_quota", "The account at the provider has no credit left.", "fallback"),
        Fault("provider_rate_limited", "The provider asks us to slow down.", "retry"),
        Fault("provider_overloaded", "The provider is overloaded.", "retry"),
        Fault("provider_error", "The provider had an error.", "retry"),
        Fault("provider_timeout", "The provider did not answer in time.", "fallback"),
        Fault("provider_unreachable", "The provider cannot be reached.", "retry"),
        Fault("provider_bad_answer", "The provider's answer could not be read.", "retry"),
        Fault("provider_incomplete", "The provider's answer broke off.", "retry"),
        Fault("provider_rejected", "The provider rejected the request.", "fallback"),
        Fault("provider_paused", "The provider failed several times and gets another try in a moment.", "fallback"),
        Fault("provider_busy", "The key's limit of calls is reached for the moment.", "fallback"),
        Fault("context_overflow", "The text is too long for the model.", "fallback"),
        Fault("answer_truncated", "The answer was longer than allowed.", "fail"),
        Fault("answer_invalid", "The model did not answer in the form that was asked for.", "fail"),
        Fault("answer_refused", "The model declined to write this.", "fail"),
        Fault("deadline_exceeded", "The answer took too long.", "fallback"),
        Fault("budget_exceeded", "The AI budget of this month is used up.", "fail"),
        Fault("ai_not_configured", "No AI provider is set up.", "fail"),
        Fault("cancelled", "Stopped by request.", "fail"),
        Fault("draft_changed", "The draft was changed or taken over meanwhile.", "fail"),
        Fault("interrupted", "The writer was interrupted too often.", "fail"),
        Fault("internal_error", "Something went wrong in the writer.", "fail"),
    )
}


class GatewayError(Exception):
    """A call that gave no usable answer; `code` is a key of `FAULTS`."""

    def __init__(
        self, code: str, *, detail: str = "", retry_after_s: float | None = None, status: int | None = None
    ) -> None:
        self.fault = FAULTS[code]
        self.code = code
        self.detail = detail or self.fault.detail
        self.retry_after_s = retry_after_s
        self.status = status
        super().__init__(f"{code}: {self.detail}")


#: What providers call an account without credit: codes, types, and words of the message where there is no code.
NO_CREDIT = ("insufficient_quota", "credit_balance", "billing_error", "billing_hard_limit", "spend_limit")
TOO_LONG = ("context_length_exceeded", "request_too_large")


def _retry_after(error: Exception) -> float | None:
    """Return the seconds of a Retry-After header, which may be a number or a date (RFC 9110, 10.2.3)."""
    response = getattr(error, "response", None)
    raw = response.headers.get("retry-after") if response is not None else None
    if raw is None:
        return None
    try:
        return max(0.0, float(raw))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(raw) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _told(error: Exception) -> str:
    """Return what the provider said went wrong: code, type and message, for looking words up."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(inner, dict):
        return ""
    told = " ".join(str(inner.get(name) or "") for name in ("code", "type", "message"))
    return told.lower().replace("credit balance", "credit_balance")


#: HTTP status -> code, where the status alone decides.
BY_STATUS = {
    400: "provider_rejected",
    401: "provider_auth",
    402: "provider_quota",
    403: "provider_auth",
    404: "provider_rejected",
    408: "provider_timeout",
    413: "context_overflow",
    422: "provider_rejected",
    429: "provider_rate_limited",
    503: "provider_overloaded",
    529: "provider_overloaded",
}
#: Name of an exception class anywhere in the hierarchy -> code; the first hit wins.
BY_CLASS_NAME = {
    "ContextOverflowError": "context_overflow",
    "APITimeoutError": "provider_timeout",
    "ModelTimeoutError": "provider_timeout",
    "TimeoutException": "provider_timeout",
    "RemoteProtocolError": "provider_incomplete",
    "APIConnectionError": "provider_unreachable",
    "ModelConnectionError": "provider_unreachable",
    "TransportError": "provider_unreachable",
    "APIResponseValidationError": "provider_bad_answer",
}


def translate(error: Exception) -> GatewayError:
    """Return what an exception of an SDK, of LangChain or of the HTTP layer means.

    Works on class names and attributes, so that this module needs none of those packages.
    """
    if isinstance(error, GatewayError):
        return error
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status >= 400:
        code = BY_STATUS.get(status, "provider_error" if status >= 500 else "provider_rejected")
        told = _told(error)
        if status in (400, 403, 429) and any(word in told for word in NO_CREDIT):
            code = "provider_quota"
        if any(word in told for word in TOO_LONG):
            code = "context_overflow"
        return GatewayError(code, retry_after_s=_retry_after(error), status=status)
    names = {cls.__name__ for cls in type(error).__mro__}
    for name, code in BY_CLASS_NAME.items():
        if name in names:
            return GatewayError(code)
    if isinstance(error, (ConnectionError, TimeoutError, OSError)):
        return GatewayError("provider_unreachable")
    if "overloaded_error" in _told(error):
        return GatewayError("provider_overloaded")
    if isinstance(error, (json.JSONDecodeError, IndexError, KeyError, TypeError, AttributeError, ValueError)):
        return GatewayError("provider_bad_answer")
    return GatewayError("provider_error")
