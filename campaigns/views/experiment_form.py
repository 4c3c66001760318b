"""The form of the page "A/B test": the variants' differences, and the rule that compares them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from campaigns.models import Campaign, Experiment, Variant
from campaigns.selectors.campaigns import list_senders
from campaigns.selectors.goals import known_goals
from campaigns.services.composing import MOST_DELAY_MINUTES
from campaigns.services.experiments import PLAN
from campaigns.tickets import FEWEST
from pulsequill.core.errors import Invalid

#: Mode -> what it means, for the three picks.
MODE_WORDS = {
    "even": "Everybody gets one of the variants. You learn which is better",
    "winner": "Some get the test. The winner goes to the rest",
    "bandit": "In waves, each larger, and more of it for what works",
}
METRICS = [
    ("clicks", "Clicks by people"),
    ("opens", "Opens by people (many mail programs hide them)"),
    ("goal", "A goal that is reached"),
    ("revenue", "Revenue a recipient"),
]
FALLBACKS = [
    ("leader", "Send the one that is ahead"),
    ("split", "Split the rest as before"),
    ("ask", "Ask a person"),
]
CHOOSERS = [("rule", "By itself, when the rule says so"), ("person", "A person sends it")]


class VariantForm(forms.Form):
    """What is different about one variant; what it says is written in the composer."""

    subject = forms.CharField(label="Subject", max_length=300, required=False)
    preview_text = forms.CharField(label="Preview text", max_length=300, required=False)
    share = forms.IntegerField(label="Share, %", min_value=1, max_value=100)
    sender: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label="From", queryset=None, required=False, empty_label="The campaign’s sender"
    )
    send_delay_minutes = forms.IntegerField(
        label="Later, min", min_value=0, max_value=MOST_DELAY_MINUTES, required=False
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, variant: Variant) -> None:
        initial = {name: getattr(variant, name) for name in self.base_fields}
        super().__init__(data, prefix=variant.label, initial=initial)
        self.variant = variant
        senders: Any = self.fields["sender"]
        senders.queryset = list_senders(variant.workspace)

    def as_change(self) -> dict[str, Any]:
        """Return what `composing.update_campaign` takes for this variant."""
        cleaned = self.cleaned_data
        return {
            "label": self.variant.label,
            **{name: cleaned[name] for name in ("subject", "preview_text", "share", "sender")},
            "send_delay_minutes": cleaned["send_delay_minutes"] or 0,
        }


class PlanForm(forms.Form):
    """The rule; fixed from the launch on."""

    mode = forms.ChoiceField(label="How", choices=Experiment.Mode.choices, widget=forms.RadioSelect)
    metric = forms.ChoiceField(label="Compared by", choices=METRICS)
    goal_key = forms.ChoiceField(label="Which goal", required=False)
    test_share = forms.IntegerField(
        label="Test on, % of the list",
        min_value=1,
        max_value=99,
        help_text=f"A bandit begins with so many. At least {FEWEST} people for each variant.",
    )
    lift = forms.FloatField(
        label="Smallest difference that matters, %",
        min_value=1,
        max_value=1000,
        help_text="Of the rate: from 4 % to 5 % is a difference of 25 %.",
    )
    decide_after_hours = forms.IntegerField(
        label="Decide at the latest, hours",
        min_value=1,
        max_value=720,
        required=False,
        help_text="After the test’s last mail; a bandit waits so long for each wave. Empty: 4, or a week when everybody"
        " gets it.",
    )
    chooser = forms.ChoiceField(label="Who sends the winner", choices=CHOOSERS)
    fallback = forms.ChoiceField(label="If there is no winner", choices=FALLBACKS)
    holdout_share = forms.IntegerField(
        label="Held out, %", min_value=0, max_value=50, help_text="They get nothing, to compare with."
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, campaign: Campaign, plan: Experiment) -> None:
        initial = {name: getattr(plan, name) for name in PLAN}
        if plan._state.adding:
            initial["decide_after_hours"] = None
        initial |= {"lift": f"{100 * plan.minimum_lift:g}", "holdout_share": campaign.holdout_share}
        super().__init__(data, initial=initial)
        goals: Any = self.fields["goal_key"]
        goals.choices = [("", "Any goal"), *known_goals(campaign.workspace_id).items()]

    def as_change(self) -> dict[str, Any]:
        """Return what `composing.update_campaign` takes as the plan."""
        return {
            **{name: self.cleaned_data[name] for name in PLAN if self.cleaned_data.get(name) is not None},
            "minimum_lift": self.cleaned_data["lift"] / 100,
        }

    def explain(self, refusal: Invalid, variants: list[VariantForm]) -> None:
        """Put what a service refused beside the field that it is about, or above the form."""
        for error in refusal.errors:
            whole, _, name = error.field.partition(".")
            number, _, part = name.partition(".")
            if whole == "variants" and number.isdigit() and part in VariantForm.base_fields:
                variants[int(number)].add_error(part, error.detail)
            else:
                name = "lift" if name == "minimum_lift" else name or whole
                self.add_error(name if name in self.fields else None, error.detail)
        if not refusal.errors:
            self.add_error(None, refusal.detail)
