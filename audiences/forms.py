"""Forms of the audience's pages; each ends in one call of a service."""

from __future__ import annotations

from typing import Any

from django import forms

from audiences.importing import values
from audiences.models import Contact, ContactField, ContactList, Suppression
from pulsequill.core.errors import DomainError

_YES_NO = [("", "Not known"), ("true", "Yes"), ("false", "No")]


def add_domain_error(form: forms.Form, error: DomainError) -> None:
    """Show a service's refusal at the fields that it names."""
    for fault in error.errors:
        name = fault.field.replace("attributes.", "attribute_")
        form.add_error(name if name in form.fields else None, fault.detail)
    if not error.errors:
        form.add_error(None, error.detail)


class ContactForm(forms.Form):
    """A contact with its custom fields and lists."""

    email = forms.CharField(max_length=320, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    first_name = forms.CharField(max_length=120, required=False)
    last_name = forms.CharField(max_length=120, required=False)

    def __init__(self, *args: Any, workspace: Any, contact: Contact | None = None, **kwargs: Any) -> None:
        self.custom = list(ContactField.objects.for_workspace(workspace).order_by("label"))
        places = {place.list_id: place.status for place in getattr(contact, "places", [])}
        initial: dict[str, Any] = {}
        if contact:
            initial = {name: getattr(contact, name) for name in ("email", "first_name", "last_name")}
            initial["lists"] = [pk for pk, status in places.items() if status != "unsubscribed"]
            for field in self.custom:
                value = contact.attributes.get(field.key)
                initial[f"attribute_{field.key}"] = str(value).lower() if isinstance(value, bool) else value
        super().__init__(*args, **{"initial": initial, **kwargs})
        for field in self.custom:
            self.fields[f"attribute_{field.key}"] = _control(field)
        lists = ContactList.objects.for_workspace(workspace).order_by("name")
        if lists:
            self.fields["lists"] = forms.ModelMultipleChoiceField(
                lists,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                help_text="Somebody who left a list is not put back on it.",
            )
        if contact is None:
            self.fields["consent_source"] = forms.CharField(
                max_length=120, required=False, label="Where they agreed", help_text="Kept as proof of consent."
            )

    def clean(self) -> dict[str, Any]:
        """Read the custom fields as their types."""
        cleaned = super().clean() or {}
        attributes: dict[str, Any] = {}
        for field in self.custom:
            name = f"attribute_{field.key}"
            text = str(cleaned.get(name, "") or "").strip()
            try:
                attributes[field.key] = values.parse(field.type, text) if text else None
            except values.BadValue as error:
                self.add_error(name, error.detail)
        cleaned["attributes"] = attributes
        return cleaned

    def contact_values(self) -> dict[str, Any]:
        """Return what `services.create_contact` and `update_contact` take."""
        names = ("email", "first_name", "last_name", "attributes")
        return {name: self.cleaned_data[name] for name in names}


def _control(field: ContactField) -> forms.Field:
    kinds: dict[str, forms.Field] = {
        "text": forms.CharField(max_length=1000, required=False, label=field.label),
        "number": forms.CharField(
            max_length=40, required=False, label=field.label, widget=forms.TextInput(attrs={"inputmode": "decimal"})
        ),
        "date": forms.CharField(
            max_length=10, required=False, label=field.label, widget=forms.DateInput(attrs={"type": "date"})
        ),
        "boolean": forms.ChoiceField(choices=_YES_NO, required=False, label=field.label),
    }
    return kinds[field.type]


class ContactListForm(forms.Form):
    """A list."""

    name = forms.CharField(max_length=120, help_text="Subscribers see it in the preference centre.")
    description = forms.CharField(max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    is_double_opt_in = forms.BooleanField(
        required=False, label="Double opt-in", help_text="New sign-ups confirm by mail before they get any."
    )


class ContactFieldForm(forms.Form):
    """A custom field."""

    label = forms.CharField(max_length=80)
    key = forms.CharField(max_length=40, help_text="Its merge tag: lower-case letters, digits and _.")
    type = forms.ChoiceField(choices=ContactField.Type.choices)
    fallback = forms.CharField(max_length=120, required=False, help_text="Shown when a contact has no value.")


class SuppressionForm(forms.Form):
    """An address to suppress by hand."""

    email = forms.CharField(max_length=254, label="Email address", widget=forms.EmailInput)
    note = forms.CharField(max_length=120, required=False, help_text="Why, for your colleagues.")


class ImportFileForm(forms.Form):
    """The file of an import."""

    file = forms.FileField(
        label="CSV file",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain", "class": "vh"}),
    )


SUPPRESSION_REASONS = Suppression.Reason.choices
