"""The page on which the rules about machines are run again."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models.membership import Role
from analytics.ingest import rule_runs
from analytics.models import CampaignStats, RuleRun
from tests.analytics.making import make_member
from tests.analytics.test_reclassifying import Mailing, read_mailing, scanner_is_known  # noqa: F401 fixtures

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scanner_is_known")]


def finish() -> None:
    run = RuleRun.objects.latest("created_at")
    while not rule_runs.proceed(run.pk, seconds=30):
        pass


def test_a_preview_is_shown_and_then_applied(client: Client, read_mailing: Mailing) -> None:  # noqa: F811
    client.force_login(make_member(read_mailing.workspace))
    page = client.get("/reports/rules").content.decode()
    assert "What counts as a machine" in page
    assert client.post("/reports/rules", {"do": "preview"}).status_code == 302
    waiting = client.get("/reports/rules").content.decode()
    assert 'hx-trigger="every 3s"' in waiting
    assert 'value="apply"' not in waiting
    finish()
    shown = client.get("/reports/rules").content.decode()
    assert "What would change" in shown
    assert "3 of 6 opens and clicks" in shown
    assert '<span class="dim">2 →</span> <b>1</b>' in shown
    assert CampaignStats.objects.get().unique_opens == 2
    client.post("/reports/rules", {"do": "apply"})
    finish()
    assert "What has changed" in client.get("/reports/rules").content.decode()
    assert CampaignStats.objects.get().unique_opens == 1


def test_who_may_not_edit_reports_sees_them_only(client: Client, read_mailing: Mailing) -> None:  # noqa: F811
    client.force_login(make_member(read_mailing.workspace, "ana@northwind.example", Role.ANALYST))
    page = client.get("/reports/rules")
    assert page.status_code == 200
    assert 'value="apply"' not in page.content.decode()
    assert client.post("/reports/rules", {"do": "apply"}).status_code == 403
