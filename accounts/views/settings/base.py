"""What the settings pages share: the tabs, and forms that ask a service."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from accounts.forms import add_refusal
from accounts.views.access import WorkspaceTemplatePage
from pulsequill.core.errors import DomainError, NotFound, NotPermitted


class SettingsPage(WorkspaceTemplatePage):
    """One tab of the settings."""

    nav = "settings"
    tab: ClassVar[str] = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Mark the tab."""
        return super().get_context_data(tab=self.tab, **kwargs)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SettingsFormPage(SettingsPage):
    """A tab with one form. Domain errors are shown in it; success answers with a redirect."""

    form_class: ClassVar[type[forms.Form] | type[forms.ModelForm[Any]]]

    def make_form(self, data: Any = None) -> Any:
        """Build the form, empty or bound."""
        return self.form_class(data)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form."""
        return super().get_context_data(**{"form": kwargs.pop("form", None) or self.make_form(), **kwargs})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Check the shape, ask the service, show what it refuses."""
        form = self.make_form(request.POST)
        status = 400
        if form.is_valid():
            try:
                return self.accept(form)
            except (NotFound, NotPermitted):
                raise
            except DomainError as error:
                add_refusal(form, error)
                status = error.status
        return self.render_to_response(self.get_context_data(form=form, **kwargs), status=status)

    def accept(self, form: Any) -> HttpResponseBase:
        """Do what the form asks."""
        raise NotImplementedError
