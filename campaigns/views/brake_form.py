"""The form "To a few first" of the review page: who gets it first, and what stops it by itself."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.braking import DEAD_LINKS, LEAST, RATES, limits_of
from campaigns.models import Campaign
from campaigns.services.brakes import CANARY_MINUTES, MOST_CANARY_SHARE

#: What the switch offers first.
USUAL_SHARE = 5
PERCENT = 100


class BrakeForm(forms.Form):
    """Percent and minutes as people write them; an empty limit is switched off."""

    has_canary = forms.BooleanField(required=False)
    canary_share = forms.IntegerField(label="Percent", required=False, min_value=1, max_value=MOST_CANARY_SHARE)
    canary_minutes = forms.IntegerField(
        label="Minutes", required=False, min_value=CANARY_MINUTES[0], max_value=CANARY_MINUTES[1]
    )
    dead_links = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, limit in RATES.items():
            self.fields[name] = forms.FloatField(
                label=limit.label, required=False, min_value=LEAST * PERCENT, max_value=PERCENT
            )

    @staticmethod
    def initial_of(campaign: Campaign) -> dict[str, Any]:
        """Return what the form shows for a campaign."""
        limits = limits_of(campaign.brake)
        shown = {name: _percent(limits[name]) for name in RATES}
        return {
            "has_canary": bool(campaign.canary_share),
            "canary_share": campaign.canary_share or USUAL_SHARE,
            "canary_minutes": campaign.canary_minutes,
            DEAD_LINKS: limits[DEAD_LINKS],
            **shown,
        }

    def clean(self) -> dict[str, Any]:
        """Ask for both figures where somebody gets it first."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("canary_share", "canary_minutes"):
            if cleaned.get("has_canary") and not cleaned.get(name) and name not in self.errors:
                self.add_error(name, "Say how many.")
        return cleaned

    @property
    def limits(self) -> list[forms.BoundField]:
        """The fields of the rates, in their order."""
        return [self[name] for name in RATES]

    @property
    def brake(self) -> dict[str, Any]:
        """What `services.brakes.set_brake` takes."""
        given = self.cleaned_data
        rates = {name: None if given[name] is None else round(given[name] / PERCENT, 6) for name in RATES}
        return {
            "canary_share": given["canary_share"] if given["has_canary"] else 0,
            "canary_minutes": given["canary_minutes"] or Campaign._meta.get_field("canary_minutes").default,
            "brake": {**rates, DEAD_LINKS: given[DEAD_LINKS]},
        }


def _percent(share: float | bool | None) -> str:
    return "" if share is None else f"{share * PERCENT:.4f}".rstrip("0").rstrip(".")
