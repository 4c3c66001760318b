"""The figures under fire: `python -m tests.chaos.reading [--full]`, the second half of `make chaos`.

A campaign is being sent while readers open its mails and follow its links over HTTP, and while this program kills the
consumers with kill -9, flushes Valkey, kills it, and restarts PostgreSQL. Each reader notes which of its hits were
answered. Afterwards every answered hit must be stored exactly once, nothing that nobody did may be stored, the figures
must equal a count over the readers' notes, and a page that was open all the time must show them without a reload.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.fleet import Fleet, Machine, set_stage
from tests.instance import free_port
from tests.waiting import Vain, wait_until

READERS = 6
#: Seconds within which an open page must show the final figures.
CONVERGE_S = 30
CONSUMERS = ("consumer-1", "consumer-2")


@dataclass(frozen=True)
class Plan:
    """How much of everything a run does."""

    messages: int
    rounds: int
    hits_between: int
    """Answered hits between two misfortunes."""


SHORT, FULL = Plan(messages=400, rounds=1, hits_between=250), Plan(messages=900, rounds=4, hits_between=1_000)


@dataclass
class Notes:
    """What the readers did: name of a hit -> kind and message, by whether it was answered."""

    answered: dict[str, tuple[str, int]] = field(default_factory=dict)
    unanswered: dict[str, tuple[str, int]] = field(default_factory=dict)


class Readers:
    """Threads that open mails and follow links until they are told to stop; each hit has a user agent of its own."""

    def __init__(self, port: int) -> None:
        self.port, self.notes = port, Notes()
        self.mails: list[tuple[int, str, list[str]]] = []
        self._numbers = itertools.count(1)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=[n], daemon=True) for n in range(READERS)]

    def start(self) -> None:
        """Begin to read."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let everybody finish the hit at hand."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def _read(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self._stop.wait(0.03):
            if not self.mails:
                continue
            message_id, pixel, links = chance.choice(self.mails)
            kind = "clicked" if chance.random() < 0.3 else "opened"
            name = f"Mozilla/5.0 (X11; Linux x86_64) Firefox/{next(self._numbers)}"
            done = self._get(chance.choice(links) if kind == "clicked" else pixel, name)
            (self.notes.answered if done else self.notes.unanswered)[name] = (kind, message_id)

    def _get(self, path: str, agent: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"User-Agent": agent, "Host": "localhost"})
            return connection.getresponse().status in (200, 302)
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class OpenPage:
    """The campaign's live page in a browser, looked at from a thread of its own and never reloaded."""

    def __init__(self, url: str, cookie: tuple[str, str]) -> None:
        self.url, self.cookie, self.shown = url, cookie, ""
        self.loads = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the browser."""
        self._stop.set()
        self._thread.join(timeout=30)

    def _watch(self) -> None:
        from playwright.sync_api import sync_playwright

        from tests.browser import find_browser
        from tests.pages import ARGUMENTS

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
            context = browser.new_context()
            name, value = self.cookie
            context.add_cookies([{"name": name, "value": value, "domain": "localhost", "path": "/"}])
            page = context.new_page()
            page.on("load", lambda _page: setattr(self, "loads", self.loads + 1))
            page.goto(self.url)
            opens = page.locator('[data-bind="view.opens"]').first
            while not self._stop.wait(0.25):
                self.shown = opens.inner_text(timeout=10_000)
            browser.close()


def main(arguments: list[str] | None = None) -> int:
    """Run it, say what came out, and return 0 when every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="Four rounds of every misfortune instead of one.")
    parser.add_argument("--keep", action="store_true", help="Leave the run's folder with its logs behind.")
    options = parser.parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="pulsequill-reading-"))
    home.chmod(0o755)  # PostgreSQL's own user must reach its folder
    try:
        broken = run(FULL if options.full else SHORT, home)
    finally:
        if options.keep:
            print(f"Logs are in {home}", file=sys.stderr)
        else:
            shutil.rmtree(home, ignore_errors=True)
    print("Every promise was kept." if not broken else "BROKEN:\n" + "\n".join(f"- {one}" for one in broken))
    return 1 if broken else 0


def run(plan: Plan, home: Path) -> list[str]:
    """Set the stage in `home`, let people read under fire, and return the promises that were broken."""
    with ExitStack() as stack:
        port = free_port()
        environment = {"PORT": str(port), "EMAIL_PROVIDER": "capture", "SEED_DEMO": "0"}
        machines, fleet = set_stage(stack, home=home, environment=environment)
        return _Run(plan, machines, fleet, port).judge()


class _Run:
    def __init__(self, plan: Plan, machines: dict[str, Machine], fleet: Fleet, port: int) -> None:
        self.plan, self.machines, self.fleet, self.port = plan, machines, fleet, port
        self.readers = Readers(port)
        self.broken: list[str] = []
        self.began = time.monotonic()

    def judge(self) -> list[str]:
        """Do all of it."""
        page = None
        try:
            cookie = self._prepare()
            for name in ("web", "worker-1", "beat-1", *CONSUMERS):
                self.fleet.start(name)
            wait_until(self._answers, timeout_s=120, what="the web server is up")
            page = OpenPage(f"http://localhost:{self.port}/campaigns/{self.campaign.pk}/live", cookie)
            wait_until(lambda: page.shown, timeout_s=60, what="the live page is open")
            self.readers.start()
            self._wreak()
            self.readers.stop()
            self._say(f"{len(self.readers.notes.answered)} hits answered, {len(self.readers.notes.unanswered)} not")
            wait_until(lambda: self._looked_after() and self._is_counted(), timeout_s=90, what="every hit is stored")
            self._hold_figures(page)
        except Vain as vain:
            self.broken.append(str(vain))
        finally:
            if page is not None:
                page.close()
        return self.broken

    def _prepare(self) -> tuple[str, str]:
        """Launch a campaign, and return the session cookie of somebody who may see it."""
        from django.conf import settings
        from django.core.management import call_command
        from django.test import Client

        from audiences.models import Contact, Subscription
        from campaigns.services import sending
        from tests.campaigns.making import make_campaign, make_list, make_member, make_workspace

        call_command("migrate", verbosity=0)
        call_command("seed_schedules", verbosity=0)
        workspace = make_workspace("Reading")
        chosen = make_list(workspace)
        contacts = Contact.objects.bulk_create(
            Contact(workspace=workspace, email=f"r{n}@example.org", email_normalized=f"r{n}@example.org")
            for n in range(self.plan.messages)
        )
        Subscription.objects.bulk_create(
            Subscription(workspace=workspace, contact=contact, list=chosen) for contact in contacts
        )
        self.campaign = make_campaign(workspace, lists=[chosen], name="Read under fire")
        # Slow enough that it is still being sent when the misfortunes come.
        self.campaign.throttle_per_hour = self.plan.messages * 60
        self.campaign.save()
        sending.launch_campaign(campaign=self.campaign, actor=None)
        person = Client()
        person.force_login(make_member(workspace))
        return settings.SESSION_COOKIE_NAME, person.cookies[settings.SESSION_COOKIE_NAME].value

    def _answers(self) -> bool:
        self._looked_after()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _looked_after(self) -> bool:
        """Start again what ended by itself, as a supervisor does, and tell the readers about mails that have left."""
        self.fleet.keep_up()
        mails = self._read(self._sent_mails)
        if mails:
            self.readers.mails = mails
        return True

    def _sent_mails(self) -> list[tuple[int, str, list[str]]]:
        from campaigns.delivery.tracking import click_token, open_token
        from campaigns.models import Link, Message

        links = list(
            Link.objects.filter(variant__campaign=self.campaign, is_honeypot=False).values_list("id", flat=True)
        )
        sent = Message.objects.filter(campaign=self.campaign, status="sent").values_list("id", flat=True)
        return [
            (number, f"/t/o/{open_token(number)}", [f"/t/c/{click_token(number, link)}" for link in links])
            for number in sent
        ]

    def _wreak(self) -> None:
        misfortunes: list[tuple[str, Callable[[], None]]] = [
            ("a consumer is killed", lambda: self.fleet.kill_worker(CONSUMERS[0])),
            ("Valkey is flushed", self._flush),
            ("both consumers are killed", lambda: [self.fleet.kill_worker(name) for name in CONSUMERS] and None),
            ("Valkey is killed", self.machines["Valkey"].kill),
            ("PostgreSQL is restarted", self.machines["PostgreSQL"].restart),
        ]
        for number, (what, happen) in enumerate(misfortunes * self.plan.rounds, 1):
            goal = number * self.plan.hits_between
            wait_until(
                lambda goal=goal: self._looked_after() and len(self.readers.notes.answered) >= goal,
                timeout_s=240,
                what=f"{goal} hits before: {what}",
                every_s=0.2,
            )
            self._say(f"{len(self.readers.notes.answered):6} hits: {what}")
            happen()
        last = (len(misfortunes) * self.plan.rounds + 1) * self.plan.hits_between
        wait_until(
            lambda: self._looked_after() and len(self.readers.notes.answered) >= last,
            timeout_s=240,
            what="readers go on",
            every_s=0.2,
        )

    def _flush(self) -> None:
        import redis
        from django.conf import settings

        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.flushall()

    def _say(self, line: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {line}", file=sys.stderr, flush=True)

    def _read(self, query: Callable[[], Any]) -> Any:
        """Ask the database on a fresh connection; None while it is away."""
        from django.db import InterfaceError, OperationalError, connections

        connections.close_all()
        try:
            return query()
        except (OperationalError, InterfaceError):
            return None

    def _stored(self) -> list[tuple[str, str, int]]:
        from analytics.models import Event

        hits = Event.objects.filter(campaign=self.campaign, kind__in=("opened", "clicked"))
        return list(hits.values_list("user_agent", "kind", "message_id"))

    def _is_counted(self) -> bool:
        stored = self._read(self._stored)
        return stored is not None and set(self.readers.notes.answered) <= {agent for agent, _, _ in stored}

    def _hold_figures(self, page: OpenPage) -> None:
        """Hold what is stored against the readers' notes, the figures against both, the page against the figures."""
        from analytics.selectors import get_campaign_stats

        notes = self.readers.notes
        stored = self._stored()
        done = {**notes.unanswered, **notes.answered}
        twice = [agent for agent, count in Counter(agent for agent, _, _ in stored).items() if count > 1]
        self._must(not twice, f"{len(twice)} hits are stored twice, such as {twice[:2]}")
        strange = [agent for agent, kind, message in stored if done.get(agent) != (kind, message)]
        self._must(not strange, f"{len(strange)} events are stored that nobody did, such as {strange[:2]}")
        hits = [done[agent] for agent, _, _ in stored if agent in done]
        expected = {
            "opens": sum(kind == "opened" for kind, _ in hits),
            "unique_opens": len({message for kind, message in hits if kind == "opened"}),
            "clicks": sum(kind == "clicked" for kind, _ in hits),
            "unique_clicks": len({message for kind, message in hits if kind == "clicked"}),
        }
        figures = get_campaign_stats(self.campaign)
        found = {name: figures[name] for name in expected}
        self._must(found == expected, f"the figures are {found}, the readers' notes say {expected}")
        shown = str(expected["unique_opens"])
        began = time.monotonic()
        try:
            wait_until(lambda: page.shown == shown, timeout_s=CONVERGE_S, what="the open page")
            self._say(f"the page shows {shown} opened after {time.monotonic() - began:.1f} s")
        except Vain:
            self.broken.append(f"after {CONVERGE_S} s the open page shows {page.shown!r} instead of {shown}")
        self._must(page.loads == 1, f"the page was loaded {page.loads} times")

    def _must(self, is_kept: bool, otherwise: str) -> None:
        if not is_kept:
            self.broken.append(otherwise)


if __name__ == "__main__":
    sys.exit(main())
