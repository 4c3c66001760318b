"""The sending engine under fire: `python -m tests.chaos.sending [--full] [--write]`, in the Makefile `make chaos`.

Campaigns go through real Celery workers to an SMTP server and a SendGrid that drop replies, while this program kills
workers with kill -9, flushes and kills Valkey, and restarts PostgreSQL. Afterwards the servers' own record of what they
took is held against the ledger. The exit code says whether every promise was kept.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.fleet import CONCURRENCY, Fleet, Machine, set_stage
from tests.chaos.mail_servers import Record, mail_servers
from tests.waiting import Vain, wait_until

REPORT = Path(__file__).with_name("REPORT.md")
WORKERS, BEATS = 4, 2
LAUNCHES = 50
#: The campaign that is launched by the calendar, under two beats.
SCHEDULED = 30
LEAVE_S = 120
#: Connections that one slice holds open: SEND_CONCURRENCY of the workers.
CONNECTIONS = 8
SUPPRESSED_OF_100 = (91, 92)


@dataclass(frozen=True)
class Plan:
    """How much of everything a run does."""

    messages: int
    kills: int
    each: int
    """Times that Valkey is flushed, Valkey is killed, and PostgreSQL is restarted."""


SHORT, FULL = Plan(messages=1_500, kills=4, each=1), Plan(messages=10_000, kills=20, each=3)


@dataclass
class Verdict:
    """What came out; `broken` lists the promises that were not kept."""

    plan: Plan
    recipients: int = 0
    accepted: int = 0
    duplicates: int = 0
    lost: int = 0
    falsely_sent: int = 0
    in_doubt: int = 0
    unanswered: int = 0
    by_crash: int = 0
    bound: int = 0
    listed: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    launches: dict[str, int] = field(default_factory=dict)
    worker_kills: int = 0
    worker_deaths: int = 0
    left_after_s: float = 0.0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


def main(arguments: list[str] | None = None) -> int:
    """Run it, print the report, and return 0 when every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="10,000 messages and 20 kills instead of the short form.")
    parser.add_argument("--write", action="store_true", help=f"Write the report to {REPORT.name}.")
    parser.add_argument("--keep", action="store_true", help="Leave the run's folder with its logs behind.")
    options = parser.parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="pulsequill-chaos-"))
    home.chmod(0o755)  # PostgreSQL's own user must reach its folder
    try:
        verdict = run(FULL if options.full else SHORT, home)
    finally:
        if options.keep:
            print(f"Logs are in {home}", file=sys.stderr)
        else:
            shutil.rmtree(home, ignore_errors=True)
    text = report(verdict)
    print(text)
    if options.write:
        REPORT.write_text(text, encoding="utf-8")
    return 1 if verdict.broken else 0


def run(plan: Plan, home: Path) -> Verdict:
    """Set the stage in `home`, run the chaos, and judge."""
    with ExitStack() as stack:
        records, addresses = stack.enter_context(mail_servers())
        settings = {"EMAIL_PROVIDER": "smtp", "SEND_CONCURRENCY": str(CONNECTIONS), "API_RATE_LIMIT": "1000000"}
        machines, fleet = set_stage(stack, home=home, environment={**addresses, **settings})
        return _Run(plan, home, records, machines, fleet).judge()


class _Run:
    def __init__(
        self, plan: Plan, home: Path, records: dict[str, Record], machines: dict[str, Machine], fleet: Fleet
    ) -> None:
        self.plan, self.home, self.records, self.machines, self.fleet = plan, home, records, machines, fleet
        self.verdict = Verdict(plan)
        self.began = time.monotonic()

    # --- the stage

    def _prepare(self) -> None:
        from django.core.management import call_command
        from django.test.utils import override_settings
        from django.utils import timezone

        from accounts.services.api_keys import create_api_key
        from campaigns.models import SendingDomain
        from tests.campaigns.making import make_member, make_workspace

        call_command("migrate", verbosity=0)
        call_command("seed_schedules", verbosity=0)
        self.workspace = make_workspace("Chaos")
        _key, token = create_api_key(workspace=self.workspace, actor=make_member(self.workspace), name="chaos")
        self.headers = {"Authorization": f"Bearer {token}", "Host": "localhost"}
        self.campaigns = {}
        for provider in self.records:
            with override_settings(EMAIL_PROVIDER=provider, ALLOWED_HOSTS=["*"]):
                campaign = self._make_campaign(provider, self.plan.messages // len(self.records))
                domain = campaign.sender.from_email.partition("@")[2]
                SendingDomain.objects.get_or_create(
                    workspace=self.workspace, name=domain, defaults={"verified_at": timezone.now()}
                )
                self._launch_by_fifty(campaign)
                self.campaigns[provider] = campaign

    def _make_campaign(self, name: str, size: int, *, first: int = 0) -> Any:
        from audiences.models import Contact, Subscription, Suppression
        from tests.campaigns.making import make_campaign, make_list

        workspace = self.workspace
        emails = [f"{name}{number}@example.org" for number in range(first, first + size)]
        contacts = Contact.objects.bulk_create(
            [Contact(workspace=workspace, email=email, email_normalized=email, first_name="Ana") for email in emails]
        )
        chosen = make_list(workspace)
        Subscription.objects.bulk_create(
            [Subscription(workspace=workspace, contact=contact, list=chosen) for contact in contacts]
        )
        Suppression.objects.bulk_create(
            [
                Suppression(workspace=workspace, email_normalized=email, reason="complaint")
                for number, email in enumerate(emails)
                if number % 100 in SUPPRESSED_OF_100
            ]
        )
        return make_campaign(workspace, lists=[chosen], name=f"Chaos over {name}")

    def _launch_by_fifty(self, campaign: Any) -> None:
        """Fifty people press the button at once."""
        from django.db import connections
        from django.test import Client

        def press(_number: int) -> int:
            try:
                return Client().post(f"/v1/campaigns/{campaign.pk}/send", headers=self.headers).status_code
            finally:
                connections.close_all()

        with ThreadPoolExecutor(10) as pool:
            answers = Counter(f"HTTP {status}" for status in pool.map(press, range(LAUNCHES)))
        for answer, count in answers.items():
            self.verdict.launches[answer] = self.verdict.launches.get(answer, 0) + count
        self._must(answers["HTTP 202"] == 1, f"{LAUNCHES} parallel sends answered {dict(answers)}")

    def _start_fleet(self) -> None:
        names = [f"worker-{number}" for number in range(1, WORKERS + 1)]
        for name in (*names, *(f"beat-{number}" for number in range(1, BEATS + 1))):
            self.fleet.start(name)
        wait_until(lambda: all(map(self.fleet.is_up, names)), timeout_s=180, what="four workers up")
        self.names = itertools.cycle(names)

    def _schedule(self) -> None:
        """A campaign that both beats see become due."""
        from datetime import timedelta

        from django.utils import timezone

        from campaigns.services import sending

        campaign = self._make_campaign("smtp", SCHEDULED, first=1_000_000)
        sending.schedule_campaign(campaign=campaign, send_at=timezone.now() + timedelta(seconds=3), actor=None)
        self.campaigns["scheduled"] = campaign

    # --- the chaos

    def _events(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Kills with the services' misfortunes spread evenly among them."""
        misfortunes: list[tuple[str, Callable[[], None]]] = [
            ("Valkey flushed", self._flush),
            ("Valkey killed", self.machines["Valkey"].kill),
            ("PostgreSQL restarted", self.machines["PostgreSQL"].restart),
        ] * self.plan.each
        step = max(1, self.plan.kills // len(misfortunes))
        for number in range(self.plan.kills):
            kill = self.fleet.kill_worker if number % 2 == 0 else self.fleet.kill_child
            yield f"kill {number + 1}", lambda kill=kill: kill(next(self.names))  # type: ignore[misc]
            if number % step == step - 1 and misfortunes:
                yield misfortunes.pop(0)
        yield from misfortunes

    def _flush(self) -> None:
        import redis
        from django.conf import settings

        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.flushall()

    def _taken(self) -> int:
        return sum(map(len, self.records.values()))

    def _wreak(self) -> None:
        """Let each event happen at its share of the way, so that every one hits a campaign that is moving."""
        events = list(self._events())
        for number, (name, happen) in enumerate(events, 1):
            goal = self.plan.messages * 0.85 * number / (len(events) + 1)
            wait_until(
                lambda goal=goal: self._is_going() and self._taken() >= goal,
                timeout_s=400,
                what=f"{goal:.0f} messages before: {name}",
            )
            self._say(f"{self._taken():6} taken: {name}")
            happen()

    def _is_going(self) -> bool:
        """Look after the fleet, as a supervisor would; true, so that it can be part of a condition."""
        self.fleet.keep_up()
        return True

    def _is_over(self) -> bool:
        return self._is_going() and not self._read(self._open)

    def _say(self, line: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {line}", file=sys.stderr, flush=True)

    def _read(self, query: Callable[[], Any]) -> Any:
        """Ask the database on a fresh connection, and again while it starts."""
        from django.db import OperationalError, connections

        deadline = time.monotonic() + 60
        while True:
            connections.close_all()
            try:
                return query()
            except OperationalError:
                if time.monotonic() > deadline:
                    raise

    def _open(self) -> list[str]:
        from campaigns.models import Campaign

        keys = [campaign.pk for campaign in self.campaigns.values()]
        rows = Campaign.objects.across_workspaces().filter(pk__in=keys).values_list("name", "status", "status_reason")
        return [f"{name} is {status}. {reason}" for name, status, reason in rows if status != "sent"]

    # --- the judgement

    def judge(self) -> Verdict:
        """Do all of it."""
        verdict = self.verdict
        try:
            self._prepare()
            self._say("launched")
            self._start_fleet()
            self._say("the fleet is up")
            self._schedule()
            self._wreak()
            over = time.monotonic()
            wait_until(self._is_over, timeout_s=LEAVE_S * 3, what="every campaign leaves `sending`")
            verdict.left_after_s = round(time.monotonic() - over, 1)
            self._must(
                verdict.left_after_s <= LEAVE_S, f"the campaigns left `sending` only after {verdict.left_after_s} s"
            )
        except Vain as vain:
            verdict.broken.append(f"{vain}. {' '.join(self._read(self._open))}")
        self._read(self._examine)
        verdict.worker_kills, verdict.worker_deaths = self.fleet.kills, self.fleet.deaths
        verdict.seconds = round(time.monotonic() - self.began, 1)
        return verdict

    def _must(self, is_kept: bool, otherwise: str) -> None:
        if not is_kept:
            self.verdict.broken.append(otherwise)

    def _examine(self) -> None:
        """Hold the servers' record against the ledger and against what `/v1` lists."""
        from accounts.models import Activity
        from campaigns.delivery.providers import get_provider
        from campaigns.models import Message

        verdict, must = self.verdict, self._must
        taken = Counter(address for record in self.records.values() for address, _key in record.accepted)
        dropped = set().union(*(record.dropped for record in self.records.values()))
        keys = [campaign.pk for campaign in self.campaigns.values()]
        rows = list(Message.objects.across_workspaces().filter(campaign_id__in=keys, is_test=False))
        by_status: dict[str, set[str]] = {}
        for row in rows:
            by_status.setdefault(row.status, set()).add(row.email)
        doubt, sent = by_status.get("in_doubt", set()), by_status.get("sent", set())

        verdict.recipients, verdict.accepted = len(rows), len(taken)
        verdict.statuses = {status: len(emails) for status, emails in sorted(by_status.items())}
        verdict.faults = dict(sum((record.faults for record in self.records.values()), Counter()))
        verdict.duplicates = sum(count - 1 for count in taken.values())
        verdict.falsely_sent = len(sent - set(taken))
        unexplained = {row.email for row in rows if row.status in ("failed", "skipped") and not row.reason}
        open_rows = set().union(*(by_status.get(status, set()) for status in ("queued", "sending", "retrying")))
        silent = (set(taken) - sent - doubt) | unexplained | open_rows
        verdict.lost = len(silent) + verdict.falsely_sent
        crashed = {row.email for row in rows if row.status == "in_doubt" and row.last_error_code in CRASH_CODES}
        verdict.in_doubt, verdict.by_crash = len(doubt), len(crashed)
        verdict.unanswered = len(doubt - crashed)
        largest = max(get_provider(name).claim_size for name in self.records)
        interruptions = self.fleet.kills + self.fleet.deaths + self.plan.each
        verdict.bound = interruptions * CONCURRENCY * min(CONNECTIONS, largest)

        must(len(rows) == self.plan.messages + SCHEDULED, f"{len(rows)} ledger rows")
        must(not verdict.duplicates, f"{verdict.duplicates} duplicates, such as {taken.most_common(3)}")
        must(not verdict.lost, f"{verdict.lost} lost, such as {sorted(silent | (sent - set(taken)))[:3]}")
        must(verdict.by_crash <= verdict.bound, f"{verdict.by_crash} in doubt by crashes, more than {verdict.bound}")
        must(dropped <= doubt, f"{len(dropped - doubt)} dropped replies are not in doubt")
        listed = set().union(*(self._listed(campaign) for campaign in self.campaigns.values()))
        verdict.listed = len(listed)
        must(listed == doubt, f"`/v1` lists {len(listed)} in doubt, the ledger holds {len(doubt)}")
        launched = Counter(
            Activity.objects.across_workspaces()
            .filter(kind="campaign.launched", object_id__in=[str(key) for key in keys])
            .values_list("object_id", flat=True)
        )
        must(set(launched.values()) == {1} and len(launched) == len(keys), f"launches: {dict(launched)}")

    def _listed(self, campaign: Any) -> set[str]:
        """Return whom `/v1` lists as in doubt, page by page."""
        from django.test import Client
        from django.test.utils import override_settings

        address, found = f"/v1/campaigns/{campaign.pk}/messages?status=in_doubt&limit=100", set()
        with override_settings(ALLOWED_HOSTS=["*"]):
            while address:
                page = Client().get(address, headers=self.headers).json()
                found |= {row["email"] for row in page["results"]}
                address = page["next"] or ""
        return found


#: Codes of rows that are in doubt because a worker vanished, not because a server kept silent.
CRASH_CODES = frozenset({"lease_expired", "crashed"})


def report(verdict: Verdict) -> str:
    """Return the run as Markdown."""
    plan = verdict.plan
    kept = (
        "Every promise was kept." if not verdict.broken else "BROKEN:\n" + "\n".join(f"- {x}" for x in verdict.broken)
    )
    statuses = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in verdict.statuses.items())
    faults = "\n".join(f"  - {count:,} × {name}" for name, count in sorted(verdict.faults.items()))
    launches = ", ".join(f"{count} × {name}" for name, count in sorted(verdict.launches.items()))
    blows = (
        f"{verdict.worker_kills} × kill -9 (whole workers and single children in turn), Valkey flushed {plan.each} ×, "
        f"Valkey killed {plan.each} ×, PostgreSQL restarted {plan.each} ×"
    )
    bound = (
        f"at most {verdict.bound}: (kills + workers that fell with Valkey + restarts of PostgreSQL) × "
        f"{CONCURRENCY} processes × {CONNECTIONS} open connections"
    )
    return f"""# The sending engine under fire

{plan.messages:,} messages, half by SMTP and half by SendGrid, through {WORKERS} Celery workers of {CONCURRENCY}
processes each, under {BEATS} beats. On the way: {blows}.
{verdict.worker_deaths} workers ended by themselves when Valkey died, and were started again, as a supervisor does.
The mail servers misbehaved as well:

{faults}

| What | Result | Promise |
|---|---|---|
| recipients in the ledger | {verdict.recipients:,} | all of them |
| accepted by the servers | {verdict.accepted:,} | |
| **delivered twice** | **{verdict.duplicates}** | 0 |
| **lost** (no row, no reason, or called sent and never accepted) | **{verdict.lost}** | 0 |
| in doubt because a server kept silent | {verdict.unanswered} | every dropped reply is listed |
| in doubt because of a crash | {verdict.by_crash} | {bound} |
| in doubt and listed by `/v1` | {verdict.listed} of {verdict.in_doubt} | all |
| {LAUNCHES} parallel sends of each campaign | {launches} | one 202 each |
| a campaign of {SCHEDULED} launched by the calendar under {BEATS} beats | launched once | once |
| campaigns left `sending` after the last blow | {verdict.left_after_s} s | at most {LEAVE_S} s |

The ledger at the end: {statuses}. The whole run took {verdict.seconds:.0f} s.

{kept}

Written by `make chaos{" FULL=1" if plan == FULL else ""}`; the program is `tests/chaos/sending.py`.
"""


if __name__ == "__main__":
    sys.exit(main())
