"""Django's own sign-in forms (the admin's) go through the same guard as ours."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User
from accounts.services import people
from accounts.services.sign_in_guard import TooManyTries
from pulsequill.core.rest.throttling import client_address


class GuardedBackend(ModelBackend):
    """Checks credentials with `people.check_credentials`, which slows guessing down."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the person, or None for every kind of refusal."""
        email = username if username is not None else kwargs.get(User.USERNAME_FIELD)
        if not email or password is None:
            return None
        try:
            return people.check_credentials(
                email=email, password=password, address=client_address(request) if request is not None else ""
            )
        except (people.WrongCredentials, TooManyTries):
            return None
