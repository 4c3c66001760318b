"""Signing in, up and out, passwords, and invitations: pages for people who may not be signed in."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.tokens import default_token_generator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlsafe_base64_decode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View

from accounts.forms import ForgotForm, JoinForm, NewPasswordForm, SignInForm, SignUpForm, add_refusal
from accounts.middleware import SESSION_KEY
from accounts.models import Membership, User
from accounts.models.membership import Role
from accounts.services import members, people
from pulsequill.core.errors import DomainError, NotFound
from pulsequill.core.rest.throttling import client_address

#: Stands in the address where the token stood, once the session has it.
KEPT = "set"
RESET_TOKEN_KEY = "password_reset_token"  # noqa: S105 - the name of a session key


def safe_next(request: HttpRequest) -> str:
    """Return where to go after signing in: a page of this site, else home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def _demo_person() -> dict[str, str] | None:
    """The demo's sign-in, to be offered on a local run only."""
    if not settings.IS_LOCAL_RUN:
        return None
    owner = (
        Membership.objects.across_workspaces()
        .filter(workspace__is_demo=True, role=Role.OWNER)
        .select_related("user", "workspace")
        .first()
    )
    if owner is None:
        return None
    return {"workspace": owner.workspace.name, "email": owner.user.email, "password": settings.DEMO_PASSWORD}


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class FormPage(View):
    """A form on a page of its own: a domain error is shown in the form, with the error's status."""

    template_name: ClassVar[str]
    form_class: ClassVar[type[forms.Form]]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the empty form."""
        return self.show(request, self.form_class(), **kwargs)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Check the shape, then ask the service."""
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self.show(request, form, status=400, **kwargs)
        try:
            return self.accept(request, form, **kwargs)
        except NotFound:
            raise
        except DomainError as error:
            add_refusal(form, error)
            return self.show(request, form, status=error.status, **kwargs)

    def accept(self, request: HttpRequest, form: Any, **kwargs: Any) -> HttpResponseBase:
        """Do what the form asks."""
        raise NotImplementedError

    def extra_context(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """What else the template needs."""
        return {"next": safe_next(request), **kwargs}

    def show(self, request: HttpRequest, form: forms.Form, *, status: int = 200, **kwargs: Any) -> HttpResponse:
        """Render the page."""
        context = {"form": form, **self.extra_context(request, **kwargs)}
        return render(request, self.template_name, context, status=status)


class SignIn(FormPage):
    """`/sign-in`."""

    template_name = "accounts/sign_in.html"
    form_class = SignInForm

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Send people on who are signed in already."""
        return redirect(safe_next(request)) if request.user.is_authenticated else super().get(request, **kwargs)

    def extra_context(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """Offer the demo on a local run."""
        return {**super().extra_context(request, **kwargs), "demo": _demo_person()}

    def accept(self, request: HttpRequest, form: SignInForm, **_kwargs: Any) -> HttpResponseBase:
        """Sign in; the session gets a new id."""
        user = people.check_credentials(**form.cleaned_data, address=client_address(request))
        login(request, user)
        return redirect(safe_next(request))


class SignUp(FormPage):
    """`/sign-up`."""

    template_name = "accounts/sign_up.html"
    form_class = SignUpForm

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Send people on who are signed in already."""
        return redirect(safe_next(request)) if request.user.is_authenticated else super().get(request, **kwargs)

    def accept(self, request: HttpRequest, form: SignUpForm, **_kwargs: Any) -> HttpResponseBase:
        """Make the account and sign in."""
        user, workspace = people.register_account(**form.cleaned_data, address=client_address(request))
        login(request, user)
        request.session[SESSION_KEY] = str(workspace.pk)
        return redirect(safe_next(request))


class SignOut(View):
    """`/sign-out`: by POST only, so that no link or picture can do it."""

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """End the session."""
        logout(request)
        return redirect("accounts:sign_in")


class Forgot(FormPage):
    """`/password/forgot`: the answer is the same for every address."""

    template_name = "accounts/password_forgot.html"
    form_class = ForgotForm

    def accept(self, request: HttpRequest, form: ForgotForm, **_kwargs: Any) -> HttpResponseBase:
        """Ask for the mail."""
        people.request_password_reset(email=form.cleaned_data["email"], address=client_address(request))
        return render(request, "accounts/password_forgot_done.html", {"email": form.cleaned_data["email"]})


class Reset(FormPage):
    """`/password/reset/<uid>/<token>`: the token moves into the session, so that no Referer can carry it away."""

    template_name = "accounts/password_reset.html"
    form_class = NewPasswordForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check the link before anything is shown."""
        if kwargs["token"] != KEPT:
            request.session[RESET_TOKEN_KEY] = kwargs["token"]
            return redirect("accounts:password_reset", uid=kwargs["uid"], token=KEPT)
        user = self._user(kwargs["uid"])
        token = request.session.get(RESET_TOKEN_KEY, "")
        if user is None or not default_token_generator.check_token(user, token):
            return render(request, "accounts/password_reset_dead.html", status=404)
        self.person = user
        return super().dispatch(request, *args, **kwargs)

    @staticmethod
    def _user(uid: str) -> User | None:
        try:
            return User.objects.filter(pk=urlsafe_base64_decode(uid).decode(), is_active=True).first()
        except (ValueError, UnicodeError, forms.ValidationError):
            return None

    def accept(self, request: HttpRequest, form: NewPasswordForm, **_kwargs: Any) -> HttpResponseBase:
        """Set the password; every session ends, and the person signs in with it."""
        people.reset_password(user=self.person, new=form.cleaned_data["new_password"])
        request.session.pop(RESET_TOKEN_KEY, None)
        messages.success(request, "Your password is set. Sign in with it.")
        return redirect("accounts:sign_in")


class AcceptInvitation(FormPage):
    """`/invitations/<token>`: join with the account that the invitation was sent to, or make it."""

    template_name = "accounts/invitation.html"
    form_class = JoinForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the invitation before anything is shown."""
        try:
            self.invitation = members.find_invitation(kwargs["token"])
        except NotFound as error:
            raise Http404(error.detail) from error
        return super().dispatch(request, *args, **kwargs)

    def extra_context(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """Say who is invited, and what the page can offer."""
        is_right_person = request.user.is_authenticated and request.user.email == self.invitation.email
        return {
            **super().extra_context(request, **kwargs),
            "invitation": self.invitation,
            "is_right_person": is_right_person,
        }

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """A signed-in person only confirms; everybody else fills in the form."""
        if not request.user.is_authenticated:
            return super().post(request, **kwargs)
        try:
            membership = members.accept_invitation(token=kwargs["token"], user=request.user)
        except NotFound as error:
            raise Http404(error.detail) from error
        except DomainError as error:
            form = self.form_class()
            messages.error(request, error.detail)
            return self.show(request, form, status=error.status, **kwargs)
        return self._enter(request, membership)

    def accept(self, request: HttpRequest, form: JoinForm, **kwargs: Any) -> HttpResponseBase:
        """Make the account, join and sign in. The link proves that the mailbox is theirs."""
        user = people.register_invited(invitation=self.invitation, **form.cleaned_data, address=client_address(request))
        login(request, user)
        return self._enter(request, members.accept_invitation(token=kwargs["token"], user=user))

    @staticmethod
    def _enter(request: HttpRequest, membership: Membership) -> HttpResponseBase:
        request.session[SESSION_KEY] = str(membership.workspace_id)
        messages.success(request, f"Welcome to {membership.workspace.name}.")
        return redirect(settings.LOGIN_REDIRECT_URL)
