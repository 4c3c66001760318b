"""Reports over many events: the answers of `/v1`, against counting the events, and against a tenth of the events."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.test.utils import override_settings

from accounts.models import Membership, User
from accounts.models.membership import Role
from analytics.selectors import get_campaign_stats
from campaigns.models import Campaign
from pulsequill.benchmarks import campaign as mail
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.sent_ledger import make_sent_campaign

#: What PERFORMANCE.md names: totals, uniques, timeline, links, recipients, and all of it at once.
REPORT = tuple(
    f"/v1/campaigns/{{campaign}}/{part}" for part in ("stats", "timeline", "links", "recipients?did=clicked", "report")
)
#: Everything that shows figures, dashboards too.
READING = (
    *REPORT,
    *(f"/v1/campaigns/{{campaign}}/{part}" for part in ("live", "bounces")),
    *("/", "/reports", "/campaigns/{campaign}/live", "/campaigns/{campaign}/report"),
)
#: What an answer may take at p95, whatever it is compared with.
LIMIT_MS = 50.0
ROUNDS = 40
#: What the target speaks of. The short size has a tenth; counting grows with the events and answers do not
#: (`reports_growth`), so there the counting of all is reckoned from that of the tenth.
EVENTS, FEWER_EVENTS = 10_000_000, 1_000_000
#: Events of one message.
EVENTS_A_MESSAGE = 10

_EVENTS = """
INSERT INTO analytics_event (workspace_id, campaign_id, message_id, link_id, kind, actor, actor_reason, dedupe_key,
                             occurred_at, received_at, source, user_agent, ip_address, data, device, client, mailbox)
SELECT message.workspace_id, message.campaign_id, message.id,
       CASE WHEN n %% 4 = 3
            THEN (SELECT min(id) FROM campaigns_link WHERE variant_id = message.variant_id) + n / 4 %% 2 END,
       CASE WHEN n = 0 THEN 'delivered' WHEN n %% 4 = 3 THEN 'clicked' ELSE 'opened' END,
       CASE WHEN n = 0 THEN 'unknown' WHEN n %% 3 = 1 THEN 'machine' ELSE 'human' END, '',
       message.id || '-' || n, message.sent_at + (message.id %% 3000) * interval '1 second', now(), 'tracking', '',
       NULL, '{}', 'Phone', 'Apple Mail', 'Other'
  FROM campaigns_message AS message CROSS JOIN generate_series(0, %s) AS n
 WHERE message.campaign_id = %s AND (n = 0 OR message.id %% 3 <> n %% 3)
"""

#: Facts and rollups as the consumer leaves them, counted once over the events.
_FACTS = """
UPDATE campaigns_message AS message
   SET delivered_at = heard.delivered, first_opened_at = heard.opened, first_machine_opened_at = heard.machine_opened,
       first_clicked_at = heard.clicked, first_machine_clicked_at = heard.machine_clicked
  FROM (SELECT message_id, min(occurred_at) FILTER (WHERE kind = 'delivered') AS delivered,
               min(occurred_at) FILTER (WHERE kind = 'opened' AND actor = 'human') AS opened,
               min(occurred_at) FILTER (WHERE kind = 'opened' AND actor = 'machine') AS machine_opened,
               min(occurred_at) FILTER (WHERE kind = 'clicked' AND actor = 'human') AS clicked,
               min(occurred_at) FILTER (WHERE kind = 'clicked' AND actor = 'machine') AS machine_clicked
          FROM analytics_event WHERE campaign_id = %s GROUP BY message_id) AS heard
 WHERE message.id = heard.message_id
"""
_STATS = """
INSERT INTO analytics_campaignstats (campaign_id, variant_id, delivered, returned, deferred, bounced, complained,
                                     unsubscribed, opens, unique_opens, machine_opens, any_opens, clicks,
                                     unique_clicks, machine_clicks, any_clicks)
SELECT campaign_id, variant_id, count(delivered_at), 0, 0, 0, 0, 0, 0, count(first_opened_at),
       count(first_machine_opened_at), count(coalesce(first_opened_at, first_machine_opened_at)), 0,
       count(first_clicked_at), count(first_machine_clicked_at),
       count(coalesce(first_clicked_at, first_machine_clicked_at))
  FROM campaigns_message WHERE campaign_id = %s GROUP BY campaign_id, variant_id
"""
_MINUTES = """
INSERT INTO analytics_eventminute (campaign_id, minute, delivered, human_opens, machine_opens, human_clicks,
                                   machine_clicks, bounced, complained, unsubscribed)
SELECT campaign_id, date_trunc('minute', occurred_at), count(*) FILTER (WHERE kind = 'delivered'),
       count(*) FILTER (WHERE kind = 'opened' AND actor = 'human'),
       count(*) FILTER (WHERE kind = 'opened' AND actor = 'machine'),
       count(*) FILTER (WHERE kind = 'clicked' AND actor = 'human'),
       count(*) FILTER (WHERE kind = 'clicked' AND actor = 'machine'), 0, 0, 0
  FROM analytics_event WHERE campaign_id = %s GROUP BY 1, 2
"""
_LINKS = """
INSERT INTO analytics_linkstats (link_id, campaign_id, clicks, unique_clicks, machine_clicks)
SELECT link_id, campaign_id, count(*) FILTER (WHERE actor = 'human'),
       count(DISTINCT message_id) FILTER (WHERE actor = 'human'), count(*) FILTER (WHERE actor = 'machine')
  FROM analytics_event WHERE campaign_id = %s AND link_id IS NOT NULL GROUP BY 1, 2
"""

_RAW = """
SELECT count(DISTINCT message_id) FILTER (WHERE kind = 'opened' AND actor = 'human'),
       count(DISTINCT message_id) FILTER (WHERE kind = 'clicked' AND actor = 'human')
  FROM analytics_event WHERE campaign_id = %s
"""


def _read_campaign(name: str, events: int) -> Campaign:
    """Make a campaign with so many events, its facts and its rollups."""
    campaign = make_sent_campaign(name, events // EVENTS_A_MESSAGE)
    with transaction.atomic(), connection.cursor() as cursor:
        _trust(cursor)
        # A third of the numbers are left out for each message, hence half as many again.
        cursor.execute(_EVENTS, [EVENTS_A_MESSAGE * 3 // 2 - 1, campaign.pk])
    with connection.cursor() as cursor:
        for statement in (_FACTS, _STATS, _MINUTES, _LINKS):
            cursor.execute(statement, [campaign.pk])
        cursor.execute("VACUUM ANALYZE campaigns_message")
        cursor.execute("VACUUM ANALYZE analytics_event")
    return campaign


def _trust(cursor: CursorWrapper) -> None:
    """Let ten million made events go without looking up their four foreign keys each, where the server allows it."""
    try:
        with transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = replica")
    except DatabaseError:
        sys.stderr.write("  making events takes twice as long: this user may not set session_replication_role\n")


def _reader(campaign: Campaign) -> Client:
    """Return the client of somebody who may read a campaign's report."""
    user = User.objects.create_user(f"{campaign.pk.hex}@pulsequill.example", None, name="Bench")
    Membership.objects.create(workspace=campaign.workspace, user=user, role=Role.OWNER)
    client = Client()
    client.force_login(user)
    return client


def _times_ms(client: Client, campaign: Campaign, paths: tuple[str, ...]) -> dict[str, list[float]]:
    """Return how long the answers of each path took."""
    times: dict[str, list[float]] = {}
    with override_settings(ALLOWED_HOSTS=["*"], API_RATE_LIMIT=10**9):
        for path in paths:
            for _ in range(ROUNDS):
                started = time.perf_counter()
                answer = client.get(path.format(campaign=campaign.pk))
                times.setdefault(path, []).append((time.perf_counter() - started) * 1000)
                assert answer.status_code == 200, answer.content[:500]
    return times


def _p95_ms(client: Client, campaign: Campaign) -> float:
    """Return the 95th percentile of the slowest answer of a report, and say when it is above the limit."""
    slowest, path = max(
        (statistics.quantiles(times, n=20)[-1], path) for path, times in _times_ms(client, campaign, REPORT).items()
    )
    if slowest > LIMIT_MS:
        sys.stderr.write(f"  {path} took {slowest:.0f} ms at p95, more than {LIMIT_MS:.0f}\n")
    return slowest


def _medians_ms(client: Client, campaign: Campaign) -> float:
    """Return what one look at everything costs: the sum of the medians.

    Medians, because growth is looked for, and the slowest of a few dozen answers tells of the machine instead; a sum,
    because what grows counts wherever it is.
    """
    return sum(statistics.median(times) for times in _times_ms(client, campaign, READING).values())


def _raw_count(campaign: Campaign) -> tuple[float, tuple[int, int]]:
    """Return how long counting the events takes in ms, and what comes out."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(_RAW, [campaign.pk])
        opens, clicks = cursor.fetchone()
    return (time.perf_counter() - started) * 1000, (opens, clicks)


def _prepare(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    mail.empty_ledger()
    events = EVENTS if is_full else FEWER_EVENTS
    campaign = _read_campaign("Reports", events)
    client = _reader(campaign)
    figures = get_campaign_stats(campaign)
    counted = _raw_count(campaign)[1]
    assert counted == (figures["unique_opens"], figures["unique_clicks"]), "the report differs from the events"
    return lambda: _p95_ms(client, campaign), lambda: _raw_count(campaign)[0] * EVENTS / events


def _prepare_growth(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    mail.empty_ledger()
    small = _read_campaign("A tenth", FEWER_EVENTS if is_full else FEWER_EVENTS // 10)
    large = _read_campaign("Ten times as many", EVENTS if is_full else FEWER_EVENTS)
    clients = {campaign.pk: _reader(campaign) for campaign in (small, large)}
    return lambda: _medians_ms(clients[large.pk], large), lambda: _medians_ms(clients[small.pk], small)


BENCHMARK = Benchmark(
    name="Report answers over all events of a campaign",
    unit="ms at p95",
    reference_name="counting 10 million events; the short size counts one and reckons",
    prepare=_prepare,
    floor=1 / 0.08,
    aim=1 / 0.04,
    is_lower_better=True,
)
GROWTH = Benchmark(
    name="Reports and dashboards as events grow ten times",
    unit="ms for all of them",
    reference_name="a tenth of the events",
    prepare=_prepare_growth,
    floor=1 / 1.5,
    aim=1 / 1.2,
    is_lower_better=True,
)
