"""What beat starts, and how often: the one table of periodic tasks, of all apps.

`manage.py seed_schedules` writes it to the database, where an operator can switch a row off in the admin.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulsequill.core.heartbeats import QUEUES

#: Rows that beat's table holds under this prefix are ours; others belong to the operator.
PREFIX = "pulsequill: "


@dataclass(frozen=True)
class Schedule:
    """One periodic task: `task` is its Celery name; a message that nobody takes for a minute is dropped."""

    name: str
    task: str
    every_s: int
    queue: str = "default"


SCHEDULES: tuple[Schedule, ...] = (
    *(Schedule(f"heartbeat of the {queue} queue", "pulsequill.heartbeat", 10, queue) for queue in QUEUES),
    Schedule("launch due campaigns", "campaigns.tasks.launch_due_campaigns", 5),
    Schedule("sweep campaigns", "campaigns.tasks.sweep", 15),
    Schedule("look sending domains up again", "campaigns.tasks.recheck_domains", 600),
    Schedule("keep the drafting calendar", "campaigns.tasks.keep_drafting_calendar", 60),
    Schedule("sweep imports", "audiences.tasks.sweep_imports", 30),
    Schedule("deliver due webhooks", "accounts.tasks.deliver_due_webhooks", 10),
    Schedule("forget expired sessions and answers", "accounts.tasks.forget_expired", 3600),
    Schedule("decide A/B tests", "analytics.tasks.decide_tests", 60),
    Schedule("ask the emergency brake", "analytics.tasks.watch_campaigns", 60, "watch"),
    Schedule("take up runs of the rules", "analytics.tasks.sweep_rule_runs", 60),
    Schedule("archive old events", "analytics.tasks.archive_events", 3600),
    Schedule("count for reports", "analytics.tasks.count_reports", 60),
    Schedule("mail reports", "analytics.tasks.mail_reports", 60),
    Schedule("sweep generations", "aiwriter.tasks.sweep_generations", 60),
)
