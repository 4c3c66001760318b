"""Password rules that Django does not bring."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class MaximumLengthValidator:
    """Refuse passwords that are longer than hashing them is worth; nothing is ever cut off."""

    def __init__(self, max_bytes: int = 1024) -> None:
        self.max_bytes = max_bytes

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002 - Django's interface
        """Raise `ValidationError` when the password needs more than `max_bytes` bytes."""
        if len(password.encode("utf-8", "surrogatepass")) > self.max_bytes:
            raise ValidationError(
                _("This password is too long. It may have at most %(max_bytes)d bytes."),
                code="password_too_long",
                params={"max_bytes": self.max_bytes},
            )

    def get_help_text(self) -> str:
        """The rule in words, for the sign-up form."""
        return _("Your password may have at most %(max_bytes)d bytes.") % {"max_bytes": self.max_bytes}
