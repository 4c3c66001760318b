"""The form "When" of the review page: a time or now, whose clock, which hours, how many an hour."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.windows import EVERY_DAY, WEEKDAYS, SendWindow, parse_window, read_window
from pulsequill.core.errors import Invalid

NOW, AT, LOCAL = "now", "at", "local"
#: What the switch "Only at these hours" offers first.
OFFICE_HOURS = SendWindow(frozenset({1, 2, 3, 4, 5}), 9 * 60, 17 * 60)


class PaceForm(forms.Form):
    """When and how fast a campaign leaves."""

    when = forms.ChoiceField(choices=[(NOW, "Now"), (AT, "At a time"), (LOCAL, "Each reader’s own time")])
    send_at = forms.DateTimeField(
        label="Date and time",
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "class": "input"}, format="%Y-%m-%dT%H:%M"),
    )
    has_throttle = forms.BooleanField(required=False)
    throttle_per_hour = forms.IntegerField(label="Mails an hour", required=False, min_value=1, max_value=10_000_000)
    has_window = forms.BooleanField(required=False)
    weekdays = forms.TypedMultipleChoiceField(
        choices=[(number, name) for number, name in enumerate(WEEKDAYS, start=1)],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    window_from = forms.CharField(label="From", required=False, max_length=5)
    window_to = forms.CharField(label="To", required=False, max_length=5)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    @staticmethod
    def initial_of(campaign: Campaign, zone: ZoneInfo, *, proposed: datetime) -> dict[str, Any]:
        """Return what the form shows for a campaign; `proposed` is the time where none is set."""
        window = read_window(campaign.send_window)
        offered = (window if window and not window.never_opens else OFFICE_HOURS).as_json()
        at = campaign.send_at if campaign.send_at and campaign.send_at > timezone.now() else None
        by_contact = campaign.timezone_mode == Campaign.TimezoneMode.CONTACT
        return {
            "when": LOCAL if by_contact and at else AT if at else NOW,
            "send_at": (at or proposed).astimezone(zone).replace(tzinfo=None),
            "has_throttle": campaign.throttle_per_hour is not None,
            "throttle_per_hour": campaign.throttle_per_hour or 10_000,
            "has_window": window is not None,
            "weekdays": offered["weekdays"],
            "window_from": offered["from"],
            "window_to": offered["to"],
        }

    def clean(self) -> dict[str, Any]:
        """Hold the parts against each other: a choice that needs a time has one, and the window opens."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("when") == NOW:
            cleaned["send_at"] = None
        elif "send_at" in cleaned:
            cleaned["send_at"] = self._moment(cleaned["send_at"])
        if (
            cleaned.get("has_throttle")
            and not cleaned.get("throttle_per_hour")
            and "throttle_per_hour" not in self.errors
        ):
            self.add_error("throttle_per_hour", "Say how many.")
        if cleaned.get("has_window") and "weekdays" in cleaned:
            self._check_window(cleaned)
        return cleaned

    def _moment(self, given: datetime | None) -> datetime | None:
        if given is None:
            self.add_error("send_at", "Choose a date and a time.")
            return None
        naive = timezone.make_naive(given) if timezone.is_aware(given) else given
        moment = naive.replace(tzinfo=self.zone)
        if moment <= timezone.now():
            self.add_error("send_at", "That moment has passed.")
        return moment

    def _check_window(self, cleaned: dict[str, Any]) -> None:
        try:
            parse_window(self._window(cleaned), field="window")
        except Invalid as refusal:
            part = refusal.errors[0].field.rpartition(".")[2]
            names = {"weekdays": "weekdays", "from": "window_from", "to": "window_to"}
            self.add_error(names.get(part, "weekdays"), refusal.detail)

    @staticmethod
    def _window(cleaned: dict[str, Any]) -> dict[str, Any]:
        if not cleaned.get("has_window"):
            return {}
        hours = {"from": cleaned.get("window_from") or "00:00", "to": cleaned.get("window_to") or "24:00"}
        days = cleaned.get("weekdays", sorted(EVERY_DAY))
        return {
            "weekdays": days,
            **{name: "24:00" if (name, time) == ("to", "00:00") else time for name, time in hours.items()},
        }

    @property
    def is_now(self) -> bool:
        """Whether it goes at once."""
        return bool(self.cleaned_data["when"] == NOW)

    @property
    def pace(self) -> dict[str, Any]:
        """What `services.sending.set_pace` takes."""
        mode = Campaign.TimezoneMode.CONTACT if self.cleaned_data["when"] == LOCAL else Campaign.TimezoneMode.WORKSPACE
        return {
            "timezone_mode": mode.value,
            "send_window": self._window(self.cleaned_data),
            "throttle_per_hour": self.cleaned_data["throttle_per_hour"] if self.cleaned_data["has_throttle"] else None,
        }
