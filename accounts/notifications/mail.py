"""Mails about a person's account. Links start with PUBLIC_URL, never with what a request calls its host."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import tokens
from accounts.models import Invitation, User


def _send(to: str, name: str, subject: str, **context: Any) -> None:
    context |= {"site": settings.PUBLIC_URL, "subject": subject}
    mail = EmailMultiAlternatives(subject=subject, body=render_to_string(f"accounts/mail/{name}.txt", context), to=[to])
    mail.attach_alternative(render_to_string(f"accounts/mail/{name}.html", context), "text/html")
    mail.send()


def send_password_reset(user: User) -> None:
    """Send the link that sets a new password: good once, for an hour, and only until the password changes."""
    uid = urlsafe_base64_encode(force_bytes(str(user.pk)))
    link = f"{settings.PUBLIC_URL}/password/reset/{uid}/{default_token_generator.make_token(user)}"
    _send(user.email, "password_reset", "Set a new PulseQuill password", user=user, link=link)


def send_password_changed(user: User) -> None:
    """Say that the password was changed."""
    _send(user.email, "password_changed", "Your PulseQuill password was changed", user=user)


def send_session_reused(user: User) -> None:
    """Warn that a refresh token was used twice."""
    _send(user.email, "session_reused", "We ended one of your PulseQuill sessions", user=user)


def send_sign_up_again(user: User) -> None:
    """Tell the owner of an address that somebody tried to sign up with it."""
    _send(user.email, "sign_up_again", "You already have a PulseQuill account", user=user)


def send_invitation(invitation: Invitation) -> None:
    """Send the link that joins a workspace."""
    link = f"{settings.PUBLIC_URL}/invitations/{tokens.make_invitation(invitation.pk)}"
    subject = f"Join {invitation.workspace.name} on PulseQuill"
    _send(invitation.email, "invitation", subject, invitation=invitation, link=link)


def send_notice(user: User, *, subject: str, text: str, path: str, button: str) -> None:
    """Tell somebody about something that waits on one of our pages; `path` starts with a slash."""
    _send(user.email, "notice", subject, text=text, link=f"{settings.PUBLIC_URL}{path}", label=button)
