"""The errors that the domain raises and every door (page, `/v1`, socket, command) translates.

Each carries a stable `code` for machines, a sentence for people, and the HTTP status it answers with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of the input: `field` is a dotted path such as `variants.0.subject`."""

    field: str
    code: str
    detail: str


class DomainError(Exception):
    """Base of all refusals that are not bugs."""

    status = 400
    code = "invalid"
    title = "Bad request"

    def __init__(
        self, detail: str, *, code: str | None = None, errors: Sequence[FieldError] = (), **extra: Any
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.errors = tuple(errors)
        self.extra = extra


class Invalid(DomainError):
    """The input is not valid; `errors` says which field and why."""


class NotPermitted(DomainError):
    """The person is known but their role does not allow this."""

    status = 403
    code = "not_permitted"
    title = "Not permitted"


class NotFound(DomainError):
    """It does not exist, or belongs to another workspace: the caller cannot tell which."""

    status = 404
    code = "not_found"
    title = "Not found"

    def __init__(self, detail: str = "There is nothing here.", **extra: Any) -> None:
        super().__init__(detail, **extra)


class WrongState(DomainError):
    """The thing exists but is not in a state that allows this."""

    status = 409
    code = "wrong_state"
    title = "Wrong state"


class Blocked(DomainError):
    """A gate refused: preflight findings, guardrails, or a body that does not match its idempotency key."""

    status = 422
    code = "blocked"
    title = "Blocked"


class Throttled(DomainError):
    """Too many of these in a short time; trying again after `retry_after_s` seconds is right."""

    status = 429
    code = "throttled"
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    """Something this needs is away for the moment; trying again later is right."""

    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"

    def __init__(self, detail: str, *, retry_after_s: int = 5, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.retry_after_s = retry_after_s


class SystemMailFailed(Exception):
    """The provider did not take a system mail; the message says why.

    `may_have_left` says that the provider has perhaps taken a copy of it, so that a repetition could be the second one.
    """

    def __init__(self, reason: str, *, may_have_left: bool) -> None:
        super().__init__(reason)
        self.may_have_left = may_have_left
