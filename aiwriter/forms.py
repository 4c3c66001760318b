"""Forms of the AI studio."""

from __future__ import annotations

from typing import Any

from django import forms

from aiwriter.models import BrandFact, BrandVoice, Budget
from aiwriter.services.voices import FORMALITIES, VOICE_LISTS

MICRO = 1_000_000
_LABELS = {
    "traits": ("Traits", "One a line, such as: warm, never gushing"),
    "do_words": ("Words we use", "One a line"),
    "dont_words": ("Words we avoid", "One a line; drafts with one of them are blocked"),
    "style_rules": ("Style rules", "One a line, such as: short sentences"),
    "banned_phrases": ("Banned phrases", "One a line; drafts with one of them are blocked"),
}


class BudgetForm(forms.Form):
    """What may be spent in a month, in dollars."""

    monthly_cap = forms.DecimalField(
        label="Monthly budget in US dollars", min_value=0, max_value=1_000_000, decimal_places=2
    )
    warn_percent = forms.IntegerField(label="Warn at per cent", min_value=1, max_value=100)

    @classmethod
    def of(cls, budget: Budget) -> BudgetForm:
        """Return the form filled from a budget."""
        return cls(
            initial={"monthly_cap": f"{budget.monthly_cap_micro_usd / MICRO:.2f}", "warn_percent": budget.warn_percent}
        )

    def values(self) -> dict[str, int]:
        """Return the arguments of `set_budget`."""
        return {
            "cap_micro_usd": int(self.cleaned_data["monthly_cap"] * MICRO),
            "warn_percent": self.cleaned_data["warn_percent"],
        }


class VoiceForm(forms.Form):
    """A brand voice, its lists one item a line."""

    name = forms.CharField(label="Name", max_length=120)
    formality = forms.ChoiceField(
        label="Formality", required=False, choices=[(value, value.capitalize() or "Not set") for value in FORMALITIES]
    )
    status = forms.ChoiceField(label="Status", choices=BrandVoice.Status.choices, initial=BrandVoice.Status.ACTIVE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in VOICE_LISTS:
            label, hint = _LABELS[name]
            self.fields[name] = forms.CharField(
                label=label, help_text=hint, required=False, widget=forms.Textarea(attrs={"rows": 3})
            )

    @classmethod
    def of(cls, voice: BrandVoice) -> VoiceForm:
        """Return the form filled from a voice."""
        lists = {name: "\n".join(voice.profile.get(name, [])) for name in VOICE_LISTS}
        formality = voice.profile.get("formality", "")
        return cls(initial={"name": voice.name, "status": voice.status, "formality": formality, **lists})

    def profile(self) -> dict[str, Any]:
        """Return the profile that was typed in."""
        lists = {name: [line.strip() for line in self.cleaned_data[name].splitlines()] for name in VOICE_LISTS}
        return {**lists, "formality": self.cleaned_data["formality"]}


class FactForm(forms.Form):
    """A fact of the brand's knowledge."""

    text = forms.CharField(
        label="Fact", max_length=500, help_text="One thing, in one sentence, such as: Every grinder has a warranty."
    )  # fmt: skip
    valid_until_date = forms.DateField(
        label="True until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day; empty: for good.",
    )
    is_active = forms.BooleanField(label="Drafts may claim it", required=False)

    @classmethod
    def of(cls, fact: BrandFact) -> FactForm:
        """Return the form filled from a fact."""
        until = fact.valid_until_date.isoformat() if fact.valid_until_date else ""
        return cls(initial={"text": fact.text, "valid_until_date": until, "is_active": fact.is_active})
