"""The page about rules in a real browser: with nothing, and with a preview."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from analytics.ingest import rule_runs
from analytics.models import RuleRun
from analytics.services.reclassifying import start_rule_run
from tests.analytics.making import make_member, make_workspace
from tests.analytics.test_reclassifying import Mailing, read_mailing, scanner_is_known  # noqa: F401 fixtures
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
@pytest.mark.usefixtures("scanner_is_known")
def test_the_rules_and_a_preview_are_accessible_and_fit(
    live_server: LiveServer,
    page_for: PageFor,
    read_mailing: Mailing,  # noqa: F811
    theme: str,
    width: int,
) -> None:
    for name, workspace in (("empty", make_workspace("Nothing yet")), ("preview", read_mailing.workspace)):
        if name == "preview":
            start_rule_run(workspace=workspace, actor=None, is_dry_run=True)
            rule_runs.proceed(RuleRun.objects.get().pk, seconds=30)
        client = Client()
        client.force_login(make_member(workspace, f"{name}@northwind.example"))
        page = page_for(theme=theme, width=width)
        for key, cookie in client.cookies.items():
            page.context.add_cookies([{"name": key, "value": cookie.value, "url": live_server.url}])
        answer = page.goto(f"{live_server.url}/reports/rules")
        assert answer is not None
        assert answer.status == 200
        save_picture(page, f"rules-{name}-{theme}-{width}")
        assert_accessible(page)
        assert_fits(page)
