"""Signing up, signing in, and passwords: nothing here tells a stranger whether an address is known."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import tasks
from accounts.models import Invitation, User, Workspace
from accounts.services import sessions, workspaces
from accounts.services.sign_in_guard import Guard
from pulsequill.core.errors import DomainError, FieldError, Invalid

SIGN_IN, SIGN_UP, RESET = Guard("sign-in"), Guard("sign-up"), Guard("reset")
MAX_PASSWORD_BYTES = 1024


class WrongCredentials(DomainError):
    """Address and password do not belong together (401); which of them is wrong is not said."""

    status = 401
    code = "authentication_failed"
    title = "Unauthorized"

    def __init__(self) -> None:
        super().__init__("The email address or the password is not right.")


class RegistrationRefused(Invalid):
    """No account was made. The address may be taken; its owner was told by mail, the caller is not."""

    def __init__(self) -> None:
        super().__init__(
            "We could not make this account. If you have one already, sign in or reset your password.",
            code="registration_refused",
        )


def check_new_password(password: str, user: User, *, field: str = "password") -> None:
    """Hold a password against the rules (settings.AUTH_PASSWORD_VALIDATORS).

    Raises:
        Invalid: with one error for every broken rule.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        broken = [FieldError(field, e.code or "invalid", " ".join(e.messages)) for e in error.error_list]
        raise Invalid(broken[0].detail, errors=broken) from error


def register_account(
    *, email: str, password: str, workspace_name: str, name: str = "", address: str = ""
) -> tuple[User, Workspace]:
    """Make a person and their first workspace.

    Args:
        email: their address; taken or not, the same work is done.
        password: held against the rules first.
        workspace_name: name of the workspace that they own.
        name: how they are called.
        address: the caller's IP address, which is slowed down when it tries taken addresses.

    Raises:
        Invalid: the password breaks a rule.
        RegistrationRefused: the address is taken.
        TooManyTries: this caller tried taken addresses too often.
    """
    email = email.strip().lower()
    check_new_password(password, User(email=email, name=name))
    SIGN_UP.count(email=email, address=address)
    hashed = make_password(password)  # before the address is looked at, so that both answers take as long
    try:
        with transaction.atomic():
            user = User.objects.create(email=email, name=name.strip(), password=hashed)
            workspace = workspaces.create_workspace(owner=user, name=workspace_name)
    except IntegrityError:
        if not User.objects.filter(email=email).exists():
            raise
        transaction.on_commit(partial(tasks.mail_sign_up_again.delay, email=email), robust=True)
        raise RegistrationRefused from None
    SIGN_UP.forgive(email=email, address=address)
    return user, workspace


def register_invited(*, invitation: Invitation, password: str, name: str = "", address: str = "") -> User:
    """Make the account of an invited person, without a workspace of their own.

    Raises:
        Invalid: the password breaks a rule.
        RegistrationRefused: the address has an account; its owner signs in to accept.
        TooManyTries: this caller tried taken addresses too often.
    """
    check_new_password(password, User(email=invitation.email, name=name))
    SIGN_UP.count(email=invitation.email, address=address)
    try:
        with transaction.atomic():
            user = User.objects.create_user(invitation.email, password, name=name.strip())
    except IntegrityError:
        raise RegistrationRefused from None
    SIGN_UP.forgive(email=invitation.email, address=address)
    return user


def check_credentials(*, email: str, password: str, address: str = "") -> User:
    """Return the person whose address and password these are.

    Unknown, inactive and mistaken take the same time and give the same answer.

    Raises:
        WrongCredentials: they are not.
        TooManyTries: the try was not looked at.
    """
    email = email.strip().lower()
    SIGN_IN.count(email=email, address=address)
    user = User.objects.filter(email=email).first()
    password = password if len(password.encode("utf-8", "replace")) <= MAX_PASSWORD_BYTES else ""
    if user is None:
        make_password(password)  # as long as a real comparison
        raise WrongCredentials
    if not user.check_password(password) or not user.is_active:
        raise WrongCredentials
    SIGN_IN.forgive(email=email, address=address)
    return user


def _set_password(user: User, password: str) -> None:
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        sessions.end_all_sessions(user=user)
    transaction.on_commit(partial(tasks.mail_password_changed.delay, user_id=str(user.pk)), robust=True)


def change_password(*, user: User, current: str, new: str, address: str = "") -> None:
    """Change a password; every session ends (the page keeps its own).

    Raises:
        Invalid: the current password is wrong, or the new one breaks a rule.
        TooManyTries: too many wrong current passwords.
    """
    try:
        check_credentials(email=user.email, password=current, address=address)
    except WrongCredentials:
        detail = "This is not your current password."
        raise Invalid(detail, errors=[FieldError("current_password", "wrong_password", detail)]) from None
    check_new_password(new, user, field="new_password")
    _set_password(user, new)


def request_password_reset(*, email: str, address: str = "") -> None:
    """Send a reset link, if the address is known. The task looks that up: the caller cannot tell, not even by time.

    Raises:
        TooManyTries: asked too often, for known and unknown addresses alike.
    """
    RESET.count(email=email, address=address)
    transaction.on_commit(partial(tasks.mail_password_reset.delay, email=email.strip().lower()), robust=True)


def reset_password(*, user: User, new: str) -> None:
    """Set a new password after the link was checked; it ends all sessions, and the link dies with the old hash.

    Raises:
        Invalid: the new password breaks a rule.
    """
    check_new_password(new, user, field="new_password")
    _set_password(user, new)


def update_profile(*, user: User, **fields: Any) -> User:
    """Change `name` or `theme` of a person."""
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))
    return user
