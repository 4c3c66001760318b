"""The project's addresses and one more: `/component-sheet`, every component on one page, and `/blank` for scripts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path
from django.utils import timezone

from pulsequill.core.icons import icon_drawings
from pulsequill.templatetags.ui import STATUS_LOOKS
from pulsequill.urls import urlpatterns as project_urls

SHEET = Path(__file__).with_name("component_sheet.html")


class SampleForm(forms.Form):
    """One of each control, two of them wrong."""

    name = forms.CharField(label="From name", max_length=40)
    email = forms.EmailField(label="From address")
    list = forms.ChoiceField(choices=[("news", "Newsletter")])
    note = forms.CharField(widget=forms.Textarea, required=False, help_text="Only your team sees it")
    track = forms.BooleanField(required=False, label="Track clicks")
    pace = forms.ChoiceField(label="When", choices=[("now", "Now"), ("later", "Later")], widget=forms.RadioSelect)
    file = forms.FileField(required=False, label="Logo")


def sheet(request: HttpRequest) -> HttpResponse:
    """Every component, in the shell of a workspace."""
    if "message" in request.GET:
        messages.success(request, "3 contacts tagged “brew club”")
        messages.error(request, "The import could not be read")
    workspace = SimpleNamespace(pk=1, name="Northwind Coffee")
    member = SimpleNamespace(workspace_id=1, workspace=workspace, get_role_display="Owner")
    other = SimpleNamespace(
        workspace_id=2,
        workspace=SimpleNamespace(pk=2, name="Harbour Bakery with a long name"),
        get_role_display="Editor",
    )
    values = {
        "nav": "templates",
        "shell_class": request.GET.get("shell", ""),
        "workspace": workspace,
        "membership": member,
        "memberships": [member, other],
        "form": SampleForm({"name": "Northwind Coffee", "email": "nope", "list": "news", "pace": ""}),
        "statuses": list(STATUS_LOOKS),
        "table_statuses": ["sending", "sent", "paused"],
        "icons": list(icon_drawings()),
        "page": {"next_url": "?after=2", "previous_url": ""},
        "now": timezone.now(),
    }
    template = engines["django"].from_string(SHEET.read_text(encoding="utf-8"))
    return HttpResponse(template.render(values, request))


def blank(request: HttpRequest) -> HttpResponse:
    """The base page with nothing in it: a place to load modules."""
    source = '{% extends "base.html" %}{% block body %}<main id="main"><h1>Blank</h1></main>{% endblock %}'
    return HttpResponse(engines["django"].from_string(source).render({}, request))


urlpatterns = [path("component-sheet", sheet), path("blank", blank), *project_urls]
