"""The form of a drafting schedule: what to write, when, and what a run makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from accounts.models import Workspace
from aiwriter.models import BrandVoice, Brief
from aiwriter.selectors import list_brand_voices
from aiwriter.services.briefs import BRIEF_LISTS
from campaigns import recurrence
from campaigns.models import DraftingSchedule, Sender
from campaigns.selectors.campaigns import list_senders
from campaigns.windows import WEEKDAYS
from pulsequill.core.errors import DomainError

RHYTHMS = [("weekly", "On days of the week"), ("monthly", "On a day of the month"), ("crontab", "By a crontab line")]
#: The languages that the checks know, in the words of their speakers.
LANGUAGES = [
    ("en", "English"), ("ar", "العربية"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français"), ("he", "עברית"),
    ("it", "Italiano"), ("ja", "日本語"), ("nl", "Nederlands"), ("pl", "Polski"), ("pt", "Português"),
    ("sv", "Svenska"), ("tr", "Türkçe"),
]  # fmt: skip
TEXTS = ("goal", "audience", "offer", "cta_label", "cta_url", "tone", "length", "language")


def _lines(label: str, hint: str) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=hint, required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 3})
    )


class DraftingForm(forms.Form):
    """A schedule with its brief, lists one item a line."""

    name = forms.CharField(label="Name", max_length=120, help_text="Campaigns are called so, with the date.")
    goal = forms.CharField(
        label="What should each mail achieve?",
        max_length=1000,
        help_text="One sentence is enough.",
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "Tell our readers what we roast this week, and why"}),
    )
    audience = forms.CharField(label="For", max_length=500, required=False)
    offer = forms.CharField(label="Offer", max_length=500, required=False)
    facts = _lines("Facts it may use", "One a line. What is not here or a brand fact, the writer may not claim.")
    cta_label = forms.CharField(label="Button says", max_length=80, required=False)
    cta_url = forms.URLField(label="Button leads to", max_length=1000, required=False, assume_scheme="https")
    tone = forms.CharField(label="Tone", max_length=120, required=False)
    length = forms.ChoiceField(
        label="Length", choices=[("short", "Short"), ("medium", "Medium"), ("long", "Long")], initial="medium"
    )
    language = forms.ChoiceField(label="Language", choices=LANGUAGES, initial="en")
    must_say = _lines("Must say", "One a line.")
    must_not_say = _lines("Avoid", "One a line.")
    brand_voice: forms.ModelChoiceField[BrandVoice] = forms.ModelChoiceField(
        queryset=None, required=False, label="Brand voice", empty_label="The writer’s own"
    )
    rhythm = forms.ChoiceField(label="Repeats", choices=RHYTHMS, initial="weekly", widget=forms.RadioSelect)
    weekdays = forms.TypedMultipleChoiceField(
        label="Days",
        choices=[(number, name) for number, name in enumerate(WEEKDAYS, start=1)],
        coerce=int,
        required=False,
        initial=[1],
        widget=forms.CheckboxSelectMultiple,
    )
    every_weeks = forms.TypedChoiceField(
        label="How often",
        coerce=int,
        choices=[(1, "Every week"), *((n, f"Every {n} weeks") for n in range(2, recurrence.MOST_WEEKS + 1))],
        required=False,
    )
    month_day = forms.ChoiceField(
        label="Day of the month",
        choices=[*((str(n), str(n)) for n in range(1, 29)), (recurrence.LAST_DAY, "Last day")],
        required=False,
    )
    at = forms.CharField(
        label="Time", max_length=5, required=False, initial="09:00", widget=forms.TimeInput(attrs={"type": "time"})
    )
    crontab = forms.CharField(
        label="Crontab line",
        max_length=recurrence.LONGEST_LINE,
        required=False,
        help_text="Minute hour day month weekday, such as 0 9 1 */3 *. L is the last day of the month.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    makes_campaign = forms.BooleanField(
        label="Make a campaign draft each time",
        required=False,
        initial=True,
        help_text="Otherwise the drafts are only proposed in the AI studio.",
    )
    sender: forms.ModelChoiceField[Sender] = forms.ModelChoiceField(
        queryset=None, required=False, label="Sender of these campaigns", empty_label="Chosen later"
    )

    #: Which fields say when: shown for one rhythm only.
    WHEN = {"weekly": ("weekdays", "every_weeks"), "monthly": ("month_day",), "crontab": ("crontab",)}

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows: dict[str, Any] = {"brand_voice": list_brand_voices(workspace), "sender": list_senders(workspace)}
        for name, queryset in rows.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = queryset

    @staticmethod
    def initial_of(schedule: DraftingSchedule) -> dict[str, Any]:
        """Return what the form shows for a schedule."""
        brief: Brief = schedule.brief
        return {
            **{name: getattr(brief, name) for name in TEXTS},
            **{name: "\n".join(getattr(brief, name)) for name in BRIEF_LISTS},
            "brand_voice": brief.brand_voice_id,
            "name": schedule.name,
            "every_weeks": schedule.every_weeks,
            "makes_campaign": schedule.makes_campaign,
            "sender": schedule.sender_id,
            "crontab": schedule.crontab,
            **(recurrence.as_typed(schedule.crontab) if recurrence.of(schedule) else {"rhythm": "crontab"}),
        }

    def clean(self) -> dict[str, Any]:
        """Add `line`: the crontab line of what was chosen."""
        data = super().clean() or {}
        try:
            data["line"] = self._line(data)
        except DomainError as refusal:
            for error in refusal.errors:
                self.add_error(error.field if error.field in self.fields else None, error.detail)
        return data

    @staticmethod
    def _line(data: dict[str, Any]) -> str:
        at = data.get("at") or ""
        match data.get("rhythm"):
            case "weekly":
                return recurrence.weekly(weekdays=data.get("weekdays") or (), at=at)
            case "monthly":
                return recurrence.monthly(day=data.get("month_day") or "", at=at)
        return str(data.get("crontab") or "")

    def brief(self) -> dict[str, Any]:
        """Return the fields of the brief."""
        lists = {
            name: [line.strip() for line in self.cleaned_data[name].splitlines() if line.strip()]
            for name in ("facts", "must_say", "must_not_say")
        }
        return {name: self.cleaned_data[name] for name in (*TEXTS, "brand_voice")} | lists

    def changes(self) -> dict[str, Any]:
        """Return the columns of the schedule."""
        data = self.cleaned_data
        weeks = data["every_weeks"] or 1 if data["rhythm"] == "weekly" else 1
        return {
            "name": data["name"],
            "crontab": data["line"],
            "every_weeks": weeks,
            "makes_campaign": data["makes_campaign"],
            "sender": data["sender"],
        }

    def refuse(self, errors: Iterable[Any], detail: str) -> None:
        """Show what a service refused beside its field."""
        shown = [(each.field.split(".")[0], each.detail) for each in errors] or [("", detail)]
        for name, text in shown:
            self.add_error(name if name in self.fields else None, text)
