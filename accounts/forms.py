"""Forms of the account pages. They check shapes; the services decide."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms

from accounts.models import Workspace
from accounts.models.membership import Role
from accounts.permissions import SCOPES
from accounts.webhooks_out.catalogue import KINDS
from pulsequill.core.errors import DomainError


def add_refusal(form: forms.Form, error: DomainError) -> None:
    """Show a domain error at the fields that it names, else above the form."""
    at_fields = [e for e in error.errors if e.field in form.fields]
    for field_error in at_fields:
        form.add_error(field_error.field, field_error.detail)
    if not at_fields:
        form.add_error(None, error.detail)


class _Password(forms.CharField):
    def __init__(self, autocomplete: str, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
        super().__init__(strip=False, max_length=1024, widget=widget, **kwargs)


def _email(**attrs: Any) -> forms.EmailField:
    return forms.EmailField(
        label="Email", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username", **attrs})
    )


class SignInForm(forms.Form):
    email = _email(autofocus=True)
    password = _Password("current-password", label="Password")


class SignUpForm(forms.Form):
    name = forms.CharField(
        label="Your name", max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = _email()
    password = _Password("new-password", label="Password", help_text="At least 12 characters: a short sentence.")
    workspace_name = forms.CharField(
        label="Workspace", max_length=120, help_text="The brand that you write for.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )  # fmt: skip


class JoinForm(forms.Form):
    """Signing up by an invitation: the address is the one that it was sent to."""

    name = SignUpForm.base_fields["name"]
    password = SignUpForm.base_fields["password"]


class ForgotForm(forms.Form):
    email = _email(autofocus=True)


class NewPasswordForm(forms.Form):
    new_password = _Password("new-password", label="New password", help_text="At least 12 characters.")


class PasswordForm(forms.Form):
    current_password = _Password("current-password", label="Current password")
    new_password = _Password("new-password", label="New password", help_text="At least 12 characters.")


class ProfileForm(forms.Form):
    name = forms.CharField(label="Your name", max_length=120, required=False)


class WorkspaceNameForm(forms.Form):
    name = forms.CharField(label="Name", max_length=120, help_text="The brand that you write for.")


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class takes no parameter
    """The workspace's own details."""

    time_zone = forms.ChoiceField(choices=[(name, name.replace("_", " ")) for name in sorted(available_timezones())])

    class Meta:
        model = Workspace
        fields = ("name", "postal_address", "reason_line", "time_zone")
        widgets = {"postal_address": forms.Textarea(attrs={"rows": 2}), "reason_line": forms.TextInput()}

    def changes(self) -> dict[str, Any]:
        """Return the fields for `workspaces.update_workspace`, without touching the instance."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _post_clean(self) -> None:
        """The service writes: a form must not change the row before it is asked to."""


class InvitationForm(forms.Form):
    email = forms.EmailField(label="Email", max_length=254)
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.EDITOR)


class ApiKeyForm(forms.Form):
    name = forms.CharField(label="Name", max_length=80, help_text="What will use it?")
    scopes = forms.MultipleChoiceField(
        label="Scopes",
        choices=[(scope, scope) for scope in sorted(SCOPES)],
        required=False,
        help_text="None chosen: everything that a key can do.",
        widget=forms.CheckboxSelectMultiple,
    )
    expires_in_days = forms.TypedChoiceField(
        label="Ends",
        coerce=int,
        empty_value=0,  # type: ignore[arg-type]  # the stubs know text only
        required=False,
        choices=[(0, "Never"), (30, "In 30 days"), (90, "In 90 days"), (365, "In a year")],
    )


class WebhookForm(forms.Form):
    url = forms.URLField(label="Address", max_length=500, assume_scheme="https")
    kinds = forms.MultipleChoiceField(
        label="Events",
        choices=[(row.kind, f"{row.kind}: {row.doc}") for row in KINDS],
        required=False,
        help_text="None chosen: all.",
        widget=forms.CheckboxSelectMultiple,
    )


class RemoveWorkspaceForm(forms.Form):
    confirmation = forms.CharField(
        label="Type the workspace's short name to confirm", max_length=60, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
