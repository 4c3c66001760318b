"""Forms of the campaign pages: what comes in is checked here for shape, and by the services for meaning."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import Workspace
from audiences.models import ContactList, Segment
from campaigns.content.brand import Brand, contrast
from campaigns.models import EmailTemplate, Sender
from campaigns.selectors.campaigns import list_senders


class NewCampaignForm(forms.Form):
    """A name and one sentence."""

    name = forms.CharField(max_length=160, label="Name", help_text="Only your team sees it.")
    goal = forms.CharField(
        max_length=1000,
        label="What should this mail achieve?",
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 3, "placeholder": "First orders of the harvest lot, free shipping until Sunday"}
        ),
        help_text="One sentence is enough: the writer proposes three angles from it. Leave it empty to write yourself.",
    )


class SenderForm(forms.Form):
    """A new From line."""

    from_name = forms.CharField(max_length=120, label="From name")
    from_email = forms.EmailField(max_length=254, label="From address")
    reply_to = forms.EmailField(max_length=254, label="Replies go to", required=False)


class AudienceForm(forms.Form):
    """Who gets it, and who does not even so."""

    lists: forms.ModelMultipleChoiceField[Any] = forms.ModelMultipleChoiceField(
        queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )
    segments: forms.ModelMultipleChoiceField[Any] = forms.ModelMultipleChoiceField(
        queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )
    exclude_lists: forms.ModelMultipleChoiceField[Any] = forms.ModelMultipleChoiceField(
        queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )
    exclude_segments: forms.ModelMultipleChoiceField[Any] = forms.ModelMultipleChoiceField(
        queryset=None, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = ContactList.objects.for_workspace(workspace).order_by("name")
        segments = Segment.objects.for_workspace(workspace).order_by("name")
        for name, rows in (
            ("lists", lists),
            ("exclude_lists", lists),
            ("segments", segments),
            ("exclude_segments", segments),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ModelMultipleChoiceField)
            field.queryset = rows


class ChooseSenderForm(forms.Form):
    """One of the workspace's senders."""

    sender: forms.ModelChoiceField[Sender] = forms.ModelChoiceField(
        queryset=None, required=True, empty_label=None, label="Sender"
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["sender"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = list_senders(workspace)

    def chosen(self) -> Sender:
        """Return the sender of a valid form."""
        sender = self.cleaned_data["sender"]
        assert isinstance(sender, Sender)
        return sender


class TestSendForm(forms.Form):
    """Where a test goes."""

    to = forms.CharField(max_length=1000, label="Send a test to", help_text="Up to 10 addresses, separated by commas.")

    def clean_to(self) -> list[str]:
        """Return the addresses; their form is checked when they are used."""
        return [part.strip() for part in str(self.cleaned_data["to"]).replace(";", ",").split(",") if part.strip()]


class TemplateNameForm(forms.Form):
    """A name for a saved body."""

    name = forms.CharField(max_length=120, label="Template name")


class TemplateDetailsForm(TemplateNameForm):
    """What a template is called, and what it is for."""

    purpose = forms.ChoiceField(choices=[("", "Anything"), *EmailTemplate.Purpose.choices], required=False, label="For")


class TemplateImportForm(forms.Form):
    """A mail from elsewhere: pasted, or as a file."""

    MAX_KILOBYTES = 256

    name = forms.CharField(
        max_length=100, label="Template name", required=False, help_text="Empty: the title of the page."
    )
    html = forms.CharField(
        label="HTML",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "code"}),
    )
    file = forms.FileField(
        label="Or an HTML file", required=False, widget=forms.FileInput(attrs={"accept": ".html,.htm,text/html"})
    )

    def clean(self) -> dict[str, Any]:
        """Add `source`: the file when there is one, else what was pasted."""
        data = super().clean() or {}
        file = data.get("file")
        written = data.get("html") or ""
        if file:
            if file.size > self.MAX_KILOBYTES * 1024:
                raise forms.ValidationError({"file": f"The file is larger than {self.MAX_KILOBYTES} KB."})
            try:
                written = file.read().decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise forms.ValidationError({"file": "The file is not UTF-8 text."}) from error
        elif not written.strip():
            raise forms.ValidationError({"html": "Paste the HTML of a mail, or choose a file."})
        return {**data, "source": written}


def _colour(label: str, hint: str = "") -> forms.RegexField:
    return forms.RegexField(
        r"#[0-9a-fA-F]{6}", label=label, help_text=hint, widget=forms.TextInput(attrs={"type": "color"})
    )


class BrandForm(forms.Form):
    """How mails look. The parts are kept in one JSON column of the workspace."""

    color = _colour("Buttons and links")
    background = _colour("Around the mail")
    surface = _colour("Paper")
    ink = _colour("Text")
    muted = _colour("Small print")
    font = forms.ChoiceField(
        label="Font",
        choices=[("sans", "Sans serif"), ("serif", "Serif"), ("rounded", "Rounded"), ("mono", "Typewriter")],
        help_text="Fonts that every mail program has: nothing is loaded, nothing jumps.",
    )
    logo_url = forms.URLField(
        label="Logo picture",
        max_length=2000,
        required=False,
        assume_scheme="https",
        help_text="Shown 140 pixels wide. Upload it to Media and copy its address.",
    )
    logo_alt = forms.CharField(label="What the logo says", max_length=120, required=False)
    logo_text = forms.CharField(
        label="Logo as text", max_length=60, required=False, help_text="Stands at the top of mails without a picture."
    )
    postal_address = forms.CharField(
        label="Postal address",
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="The law asks for it: without one no campaign can be sent.",
    )
    reason_line = forms.CharField(
        label="Why readers get your mail",
        max_length=300,
        required=False,
        help_text="For example: You get this because you joined our brew club.",
    )

    #: What is written on what, and how the fields are called when nobody could read it.
    _PAIRS = (("ink", "surface", "Text on paper"), ("muted", "background", "Small print around the mail"))
    _LEAST_CONTRAST = 4.5
    _FOOTER = ("postal_address", "reason_line")

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        brand = Brand.of(workspace.brand)
        self.initial = {name: getattr(brand, name) for name in self.fields if hasattr(brand, name)} | {
            "color": brand.accent,
            **{name: getattr(workspace, name) for name in self._FOOTER},
        }

    def clean_logo_text(self) -> str:
        """It becomes part of a template, so it may hold no tags."""
        text = str(self.cleaned_data["logo_text"])
        if "{{" in text:
            raise forms.ValidationError("Braces would be read as a merge tag.")
        return text

    def clean(self) -> dict[str, Any]:
        """Refuse colours that nobody could read (WCAG 2.2, 1.4.3)."""
        data = super().clean() or {}
        for ink, paper, words in self._PAIRS:
            if ink in data and paper in data and (ratio := contrast(data[ink], data[paper])) < self._LEAST_CONTRAST:
                self.add_error(ink, f"{words} has a contrast of {ratio:.1f} to 1; people need {self._LEAST_CONTRAST}.")
        return data

    def changes(self) -> dict[str, Any]:
        """Return the workspace's columns; what was not valid keeps its stored value."""
        data = self.cleaned_data
        brand = {name: value for name, value in data.items() if name not in self._FOOTER}
        footer = {name: data.get(name, getattr(self.workspace, name)) for name in self._FOOTER}
        stored = {**self.workspace.brand, **brand}
        return footer | {"brand": {name: value for name, value in stored.items() if value}}


class DomainForm(forms.Form):
    """A domain to send from."""

    name = forms.CharField(max_length=253, label="Domain", help_text="For example mail.northwind.example")
