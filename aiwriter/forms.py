"""Forms of the AI studio."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from aiwriter.models import BrandFact, BrandVoice, Budget
from aiwriter.voice.profile import FORMALITIES, VOICE_LISTS, stored_trait, trait_line, typed_trait

MICRO = 1_000_000
_LABELS = {
    "traits": ("Traits", "What you are and what you are not, one a line, such as: warm, never gushing"),
    "do_words": ("Words we use", "One a line"),
    "dont_words": ("Words we avoid", "One a line; drafts with one of them are blocked"),
    "style_rules": ("Style rules", "One a line, such as: No exclamation marks. Sentences under 20 words."),
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
        lists = {name: "\n".join(map(trait_line, voice.profile.get(name, []))) for name in VOICE_LISTS}
        return cls(initial={"name": voice.name, "formality": voice.profile.get("formality", ""), **lists})

    def profile(self) -> dict[str, Any]:
        """Return the profile that was typed in."""
        lists: dict[str, list[Any]] = {
            name: [line.strip() for line in self.cleaned_data[name].splitlines()] for name in VOICE_LISTS
        }
        lists["traits"] = [stored_trait(typed_trait(line)) for line in filter(None, lists["traits"])]
        return {**lists, "formality": self.cleaned_data["formality"]}


class LearnForm(forms.Form):
    """What a voice is learned from: texts that are pasted, and files; stored samples are chosen beside it."""

    name = forms.CharField(
        label="Name of the voice", max_length=120, help_text="A name that exists gets a new version, as a proposal."
    )
    pasted = forms.CharField(
        label="Paste mails you are proud of",
        required=False,
        max_length=300_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="One or more; a line of three dashes (---) stands between two.",
    )

    def pasted_texts(self) -> list[str]:
        """Return the texts that were pasted."""
        return [text.strip() for text in re.split(r"^\s*-{3,}\s*$", self.cleaned_data["pasted"], flags=re.MULTILINE)]


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
