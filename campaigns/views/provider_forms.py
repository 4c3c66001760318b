"""Forms of the sending settings. They check shapes; `services.provider_input` decides."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from accounts.models import Workspace
from campaigns.models import ProviderSettings, Sender, SmtpServer
from campaigns.selectors.campaigns import list_senders
from campaigns.selectors.providers import WARM_UPS

_REGIONS = (("global", "Global (api.sendgrid.com)"), ("eu", "European Union (api.eu.sendgrid.com)"))
#: What the plan's choice says besides the presets.
NO_PLAN, OWN_PLAN = "none", "own"


def _hidden_text(placeholder: str) -> forms.PasswordInput:
    # "new-password" keeps browsers from filling in the person's own password.
    return forms.PasswordInput(
        attrs={"autocomplete": "new-password", "spellcheck": "false", "placeholder": placeholder}
    )


class SendGridForm(forms.Form):
    """The account at SendGrid. The key is written, never shown."""

    api_key = forms.CharField(label="API key", max_length=200, required=False)
    region = forms.ChoiceField(label="Region of the account", choices=_REGIONS)
    webhook_public_key = forms.CharField(
        label="Verification key of the Event Webhook",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="SendGrid shows it after “Enable Signed Event Webhook”. It is public: it proves, it opens nothing.",
    )

    def __init__(self, data: Any = None, *, own: ProviderSettings | None) -> None:
        options = own.options if own else {}
        super().__init__(
            data,
            initial={
                "region": options.get("region", "global"),
                "webhook_public_key": options.get("webhook_public_key", ""),
            },
        )
        key = self.fields["api_key"]
        key.required = own is None or own.secret_encrypted is None
        key.widget = _hidden_text("SG.…" if key.required else "Leave empty to keep the stored key")


class PaceForm(forms.Form):
    """How fast mail may leave by one provider."""

    rate_per_second = forms.IntegerField(
        label="Most messages a second",
        min_value=1,
        max_value=10_000,
        required=False,
        help_text="All workers together. Empty: as fast as the provider takes them.",
    )
    plan = forms.ChoiceField(label="Warm-up", choices=(), widget=forms.RadioSelect)
    warm_up_start_date = forms.DateField(
        label="First day", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, data: Any = None, *, own: ProviderSettings | None, today: date) -> None:
        stored = own.warm_up_plan if own and own.warm_up_start_date else []
        known = next((plan.key for plan in WARM_UPS.values() if list(plan.days) == stored), OWN_PLAN)
        super().__init__(
            data,
            initial={
                "rate_per_second": own.rate_per_second if own else None,
                "plan": known if stored else NO_PLAN,
                "warm_up_start_date": (own.warm_up_start_date if own else None) or today,
            },
        )
        self._stored = stored
        choices = [(NO_PLAN, "None"), *((plan.key, plan.name) for plan in WARM_UPS.values())]
        if stored and known == OWN_PLAN:
            choices.append((OWN_PLAN, "Your own"))
        field = self.fields["plan"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def changes(self) -> dict[str, Any]:
        """Return what a valid form asks the service to store."""
        chosen = self.cleaned_data["plan"]
        if chosen == NO_PLAN:
            plan: list[int] = []
        else:
            plan = list(self._stored) if chosen == OWN_PLAN else list(WARM_UPS[chosen].days)
        return {
            "rate_per_second": self.cleaned_data["rate_per_second"],
            "warm_up_plan": plan,
            "warm_up_start_date": self.cleaned_data["warm_up_start_date"] if plan else None,
        }


class ServerForm(forms.Form):
    """One mail server. The password is written, never shown."""

    host = forms.CharField(
        label="Server", max_length=253, widget=forms.TextInput(attrs={"placeholder": "smtp.example.com"})
    )
    port = forms.IntegerField(label="Port", min_value=1, max_value=65535, help_text="587 with STARTTLS, 465 with TLS.")
    security = forms.ChoiceField(
        label="Security",
        choices=(
            ("starttls", "STARTTLS"),
            ("tls", "TLS"),
            ("none", "None (own network)"),
        ),
    )
    username = forms.CharField(
        label="User name", max_length=254, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    password = forms.CharField(label="Password", max_length=500, required=False, strip=False)
    weight = forms.IntegerField(
        label="Weight",
        min_value=1,
        max_value=100,
        help_text="With weights 3 and 1 the first takes three of four mails.",
    )
    max_connections = forms.IntegerField(
        label="Most connections", min_value=1, max_value=64, help_text="Of each worker. Many services allow 10 or 20."
    )
    messages_per_connection = forms.IntegerField(
        label="Mails for each connection", min_value=0, max_value=1_000_000, help_text="0: as many as there are."
    )

    def __init__(self, data: Any = None, *, server: SmtpServer | None) -> None:
        shown = server or SmtpServer()
        names = [name for name in self.base_fields if name != "password"]
        super().__init__(data, initial={name: getattr(shown, name) for name in names})
        has_password = server is not None and server.password_encrypted is not None
        self.fields["password"].widget = _hidden_text("Leave empty to keep the stored one" if has_password else "")


class TrialForm(forms.Form):
    """Whom a test mail comes from."""

    sender: forms.ModelChoiceField[Sender] = forms.ModelChoiceField(
        queryset=None, empty_label=None, label="From", required=True
    )

    def __init__(self, data: Any = None, *, workspace: Workspace) -> None:
        super().__init__(data)
        field = self.fields["sender"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = list_senders(workspace)
        field.initial = field.queryset.order_by("created_at", "pk").first()
