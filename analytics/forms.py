"""Forms of goals and of mailed reports."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms

from analytics.models import Goal, ReportRecipient, ReportSchedule
from analytics.services.goals import LONGEST_PREFIX, MOST_DAYS
from campaigns import recurrence
from campaigns.windows import WEEKDAYS
from pulsequill.core.errors import DomainError

RHYTHMS = [("daily", "Every day"), ("weekly", "Every week"), ("monthly", "Every month")]


class GoalForm(forms.Form):
    """A goal: its key is asked for once, when it is added."""

    name = forms.CharField(label="Name", max_length=120, help_text="What people call it, such as Orders.")
    key = forms.SlugField(
        label="Key", max_length=60, help_text="What your systems send; it cannot be changed later. Such as order.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
    )  # fmt: skip
    link_prefix = forms.CharField(
        label="A click on links that begin with", max_length=LONGEST_PREFIX, required=False,
        help_text="Who follows such a link reaches the goal. Leave it empty when only your systems report it.",
        widget=forms.URLInput(attrs={"placeholder": "https://shop.example/thanks", "spellcheck": "false"}),
    )  # fmt: skip
    window_days = forms.IntegerField(
        label="Days after a click", min_value=1, max_value=MOST_DAYS, initial=7,
        help_text="An order by a contact is owed to the mail that they clicked, or else opened, last in so many days.",
    )  # fmt: skip

    def __init__(self, *args: Any, goal: Goal | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if goal is not None:
            del self.fields["key"]
            for name, field in self.fields.items():
                field.initial = getattr(goal, name)

    def refuse(self, error: DomainError) -> None:
        """Show what a service refused beside its field."""
        for each in error.errors or ():
            self.add_error(each.field if each.field in self.fields else None, each.detail)


class MailForm(forms.Form):
    """When a report is mailed, and to whom."""

    rhythm = forms.ChoiceField(label="Repeats", choices=RHYTHMS, initial="weekly", widget=forms.RadioSelect)
    weekday = forms.TypedChoiceField(label="Day", coerce=int, choices=list(enumerate(WEEKDAYS, start=1)), initial=1)
    month_day = forms.ChoiceField(
        label="Day of the month",
        choices=[*((str(n), str(n)) for n in range(1, 29)), (recurrence.LAST_DAY, "Last day")],
    )
    at = forms.CharField(label="Time", max_length=5, initial="08:00", widget=forms.TimeInput(attrs={"type": "time"}))
    members = forms.MultipleChoiceField(label="Your team", required=False, widget=forms.CheckboxSelectMultiple)
    emails = forms.CharField(
        label="Other addresses", required=False, max_length=4000,
        help_text="One a line. They see these figures and nothing else; each mail has a link that stops it.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )  # fmt: skip

    def __init__(self, *args: Any, people: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["members"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = list(people)

    @staticmethod
    def initial_of(schedule: ReportSchedule | None, recipients: Iterable[ReportRecipient]) -> dict[str, Any]:
        """Return what the form shows for a schedule."""
        if schedule is None:
            return {}
        minute, hour, day, _month, weekday = (schedule.crontab.split() + ["*"] * 5)[:5]
        at = f"{int(hour):02}:{int(minute):02}" if hour.isdigit() and minute.isdigit() else "08:00"
        active = [one for one in recipients if one.stopped_at is None]
        rhythm = "weekly" if weekday != "*" else "monthly" if day != "*" else "daily"
        return {
            "rhythm": rhythm,
            "weekday": weekday if weekday.isdigit() else 1,
            "month_day": day if day != "*" else "1",
            "at": at,
            "members": [str(one.user_id) for one in active if one.user_id],
            "emails": "\n".join(one.email for one in active if not one.user_id),
        }

    def clean(self) -> dict[str, Any]:
        """Add `crontab`: the line of what was chosen."""
        data = super().clean() or {}
        at = data.get("at") or ""
        try:
            match data.get("rhythm"):
                case "daily":
                    data["crontab"] = recurrence.monthly(day="1", at=at).replace(" 1 * *", " * * *")
                case "monthly":
                    data["crontab"] = recurrence.monthly(day=data.get("month_day") or "", at=at)
                case _:
                    data["crontab"] = recurrence.weekly(
                        weekdays=[data["weekday"]] if data.get("weekday") else (), at=at
                    )
        except DomainError as error:
            self.refuse(error)
        return data

    def addresses(self) -> list[str]:
        """Return the further addresses."""
        return [part for part in re.split(r"[\s,;]+", self.cleaned_data.get("emails") or "") if part]

    def refuse(self, error: DomainError) -> None:
        """Show what a service refused beside its field."""
        for each in error.errors or ():
            self.add_error(each.field if each.field in self.fields else None, each.detail)
