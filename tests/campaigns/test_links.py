"""A link is pointed elsewhere after its mail has left: where it may lead, who may say so, and how it is undone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Activity
from accounts.models.membership import Role
from campaigns.models import Campaign, Link
from campaigns.services import links
from pulsequill.core.errors import Invalid, WrongState
from tests.analytics.making import Mailing, make_mailing, make_member, make_workspace

pytestmark = pytest.mark.django_db
NEW = "https://northwind.example/harvest?size=250"


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(size=2, variants=2)


@pytest.fixture
def browser(client: Client, mailing: Mailing) -> Client:
    client.force_login(make_member(mailing.workspace))
    return client


def urls(mailing: Mailing) -> list[str]:
    rows = Link.objects.filter(variant__campaign=mailing.campaign).order_by("variant__label", "position")
    return list(rows.values_list("url", flat=True))


def fresh(link: Link) -> Link:
    return Link.objects.select_related("variant__campaign__workspace").get(pk=link.pk)


def patch(client: Client, link: Link, url: Any) -> Any:
    return client.patch(f"/v1/links/{link.public_id}", json.dumps({"url": url}), content_type="application/json")


def test_variants_that_share_an_address_are_changed_together_and_the_first_address_is_kept(mailing: Mailing) -> None:
    first, second = urls(mailing)[:2]
    links.repoint(link=fresh(mailing.links[0]), url=NEW, actor=None)
    assert urls(mailing) == [NEW, second, NEW, second]
    links.repoint(link=fresh(mailing.links[0]), url="https://northwind.example/b", actor=None)
    changed = fresh(mailing.links[0])
    assert changed.original_url == first
    links.undo_repoint(link=changed, actor=None)
    assert urls(mailing) == [first, second, first, second]
    assert fresh(mailing.links[0]).original_url == ""
    assert Activity.objects.filter(kind="link.repointed").count() == 3
    with pytest.raises(WrongState):
        links.undo_repoint(link=fresh(mailing.links[0]), actor=None)


def test_two_links_that_lead_to_one_place_meanwhile_are_still_two(mailing: Mailing) -> None:
    first, second = urls(mailing)[:2]
    links.repoint(link=fresh(mailing.links[0]), url=second, actor=None)
    assert set(urls(mailing)) == {second}
    links.undo_repoint(link=fresh(mailing.links[0]), actor=None)
    assert urls(mailing) == [first, second, first, second]


def test_other_campaigns_keep_their_addresses(mailing: Mailing) -> None:
    other = make_mailing(mailing.workspace, size=1, name="Other")
    was = urls(other)
    links.repoint(link=fresh(mailing.links[0]), url=NEW, actor=None)
    assert urls(other) == was


def test_each_variant_keeps_the_campaign_parameters_of_its_first_address(mailing: Mailing) -> None:
    first = Link.objects.filter(variant__campaign=mailing.campaign, position=0).order_by("variant__label")
    for link, label in zip(first, "AB", strict=True):
        Link.objects.filter(pk=link.pk).update(url=f"{link.url}?size=1&utm_source=news&utm_content={label}")
    was = urls(mailing)
    links.repoint(link=fresh(mailing.links[0]), url=NEW, actor=None)
    assert [url for url in urls(mailing) if url.startswith(NEW)] == [
        f"{NEW}&utm_source=news&utm_content=A", f"{NEW}&utm_source=news&utm_content=B",
    ]  # fmt: skip
    own = links.repoint(link=fresh(mailing.links[0]), url="https://northwind.example/?utm_content=own", actor=None)
    assert own.url == "https://northwind.example/?utm_content=own&utm_source=news"
    links.undo_repoint(link=fresh(mailing.links[0]), actor=None)
    assert urls(mailing) == was


@pytest.mark.parametrize(
    "url",
    ["", "  ", "northwind.example", "//northwind.example", "/path", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
     "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://northwind.example", "mailto:a@b.example",
     "https://", "http:///x", "https://a b.example/", "https://a.example/\r\nLocation: x", "https://a.example/\x00",
     "https://shop.example@evil.example/", "https://u:p@evil.example/", "https://a.example/{{email}}",
     "https://[::1", "https://a.example:99999/", "https://a..b/", "https://" + "x" * 70 + ".é/",
     "https://a.example/" + "x" * 2000, "http://localhost:8000/t/c/abc", "http://localhost:8000/u/abc", "https://\u202ea/",
     "http://LOCALHOST.:8000/t/c/abc", "http://localhost/%74/c/abc", "https://localhost:8000/x/../t/c/abc",
     "http://localhost:8000//t/c/abc"],
)  # fmt: skip
def test_an_address_that_readers_must_not_be_sent_to_is_refused(
    browser: Client, mailing: Mailing, url: str, settings: Any
) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    was = urls(mailing)
    with pytest.raises(Invalid):
        links.repoint(link=fresh(mailing.links[0]), url=url, actor=None)
    answer = patch(browser, mailing.links[0], url)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ([] if "\x00" in url else ["url"])
    assert urls(mailing) == was


@pytest.mark.parametrize("url", ["http://a.example", "https://bücher.example/ä?q=ö#x", "HTTPS://A.example:8443/x"])
def test_ordinary_addresses_are_taken(mailing: Mailing, url: str) -> None:
    assert links.repoint(link=fresh(mailing.links[0]), url=f" {url} ", actor=None).url == url


def test_before_the_launch_the_address_is_changed_in_the_mail(mailing: Mailing) -> None:
    Campaign.objects.filter(pk=mailing.campaign.pk).update(launched_at=None)
    with pytest.raises(WrongState):
        links.repoint(link=fresh(mailing.links[0]), url=NEW, actor=None)


def test_programs_find_the_links_change_one_and_change_it_back(browser: Client, mailing: Mailing) -> None:
    Link.objects.create(
        workspace=mailing.workspace, variant=mailing.variants[0], url="https://trap.example", position=9,
        is_honeypot=True,
    )  # fmt: skip
    rows = browser.get(f"/v1/campaigns/{mailing.campaign.pk}/links").json()["results"]
    assert len(rows) == 2
    row = next(row for row in rows if row["url"] == mailing.links[0].url)
    assert row["original_url"] == ""
    assert browser.get(f"/v1/links/{row['id']}").json()["url"] == row["url"]
    answer = browser.patch(f"/v1/links/{row['id']}", json.dumps({"url": NEW}), content_type="application/json")
    assert answer.status_code == 200
    assert (answer.json()["url"], answer.json()["original_url"]) == (NEW, row["url"])
    back = browser.patch(f"/v1/links/{row['id']}", json.dumps({"url": row["url"]}), content_type="application/json")
    assert (back.json()["url"], back.json()["original_url"]) == (row["url"], "")


def test_another_workspaces_link_and_a_hidden_one_are_not_there(browser: Client, mailing: Mailing) -> None:
    theirs = make_mailing(make_workspace("Other"), size=1)
    trap = Link.objects.create(
        workspace=mailing.workspace, variant=mailing.variants[0], url="https://trap.example", position=9,
        is_honeypot=True,
    )  # fmt: skip
    for link in (theirs.links[0], trap):
        assert browser.get(f"/v1/links/{link.public_id}").status_code == 404
        assert patch(browser, link, NEW).status_code == 404
    save = f"/campaigns/{mailing.campaign.pk}/links/repoint/save"
    assert browser.post(save, {"link": theirs.links[0].public_id, "url": NEW}).status_code == 404
    assert browser.post(save, {"link": "nonsense", "url": NEW}).status_code == 404
    other = make_mailing(mailing.workspace, size=1, name="Other of ours")
    assert browser.post(save, {"link": other.links[0].public_id, "url": NEW}).status_code == 404
    assert not Link.objects.filter(url=NEW).exists()


def test_who_may_not_send_may_not_change_where_readers_are_led(client: Client, mailing: Mailing) -> None:
    client.force_login(make_member(mailing.workspace, role=Role.ANALYST))
    assert patch(client, mailing.links[0], NEW).status_code == 403
    place = f"/campaigns/{mailing.campaign.pk}/links/repoint"
    assert client.get(place).content.strip() == b""
    assert client.post(f"{place}/save", {"link": mailing.links[0].public_id, "url": NEW}).status_code == 403


def test_the_dialog_changes_a_link_and_takes_it_back(browser: Client, mailing: Mailing) -> None:
    place = f"/campaigns/{mailing.campaign.pk}/links/repoint"
    live = f"/campaigns/{mailing.campaign.pk}/live"
    page = browser.get(place).content.decode()
    assert page.count("<option") == 2
    assert "Changed so far" not in page
    answer = browser.post(
        f"{place}/save",
        {"link": mailing.links[0].public_id, "url": NEW},
        headers={"referer": f"http://testserver{live}"},
    )
    assert answer["Location"] == live
    assert urls(mailing)[0] == NEW
    assert "Changed so far" in browser.get(place).content.decode()
    browser.post(f"{place}/save", {"link": mailing.links[0].public_id, "undo": "1"})
    assert urls(mailing)[0] == mailing.links[0].url
    refused = browser.post(f"{place}/save", {"link": mailing.links[0].public_id, "url": "javascript:x"}, follow=False)
    assert refused.status_code == 302
    assert urls(mailing)[0] == mailing.links[0].url
