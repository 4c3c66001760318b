"""Tables that stand in one place, held against what must agree with them."""

from __future__ import annotations

import re
import sys
from inspect import getattr_static
from pathlib import Path

import pytest
import redis
import yaml
from django.conf import settings
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from aiwriter.tasks import run_generation
from analytics.tasks import watch_campaigns
from audiences.tasks import run_import
from campaigns.tasks import deliver_slice, sweep
from pulsequill.celery import app
from pulsequill.core.heartbeats import QUEUES
from pulsequill.env import example_file, markdown_table
from pulsequill.processes import PROCESSES
from pulsequill.schedules import PREFIX, SCHEDULES

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_and_the_example_environment_are_generated_from_the_table() -> None:
    hint = "run: python manage.py configuration_table"
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example_file(), hint
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.count(markdown_table()) == 1, hint


def test_docker_compose_runs_the_processes_that_serve_runs() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    for process in PROCESSES:
        command = " ".join("python" if part == sys.executable else part for part in process.command)
        assert re.sub(r"-c \d+", "-c 4", command) == services[process.name]["command"]
    assert set(services) == {process.name for process in PROCESSES} | {"postgres", "valkey", "prepare"}


def test_production_makes_no_demo_unless_asked() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert services["prepare"]["environment"]["SEED_DEMO"] == "${SEED_DEMO:-0}"


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()
    assert {schedule.task for schedule in SCHEDULES} - set(app.tasks) == set()


def test_every_queue_that_a_task_is_sent_to_has_a_worker() -> None:
    worked_on = {
        queue
        for process in PROCESSES
        if "-Q" in process.command
        for queue in process.command[process.command.index("-Q") + 1].split(",")
    }
    asked = {schedule.queue for schedule in SCHEDULES} | {queue_of(task) for task in our_tasks()}
    assert asked <= worked_on == set(QUEUES)


def our_tasks() -> list[str]:
    app.loader.import_default_modules()
    return [name for name in app.tasks if not name.startswith(("celery.", "django_structlog."))]


def queue_of(task: str) -> str:
    """Where a message of the task is put when nobody names a queue."""
    return app.amqp.router.route({}, task)["queue"].name


def test_slow_work_has_queues_of_its_own_and_everything_else_goes_to_the_default_one() -> None:
    own = {task: queue_of(task) for task in our_tasks() if queue_of(task) != "default"}
    assert own == {
        "campaigns.tasks.deliver_slice": "sending",
        "campaigns.tasks.deliver_message": "sending",
        "analytics.tasks.watch_campaigns": "watch",
        "audiences.tasks.run_import": "imports",
        "audiences.tasks.undo_import_rows": "imports",
        "aiwriter.tasks.run_generation": "ai",
        "aiwriter.tasks.remember_draft": "ai",
        "aiwriter.tasks.index_memory": "ai",
    }
    assert set(settings.CELERY_TASK_ROUTES) == set(own), "a route names a task that does not exist"


def test_the_table_is_the_only_place_that_says_where_tasks_go() -> None:
    for task in our_tasks():
        assert getattr_static(app.tasks[task], "queue", None) is None, f"{task} names a queue in its decorator"
    for schedule in SCHEDULES:
        if schedule.task != "pulsequill.heartbeat":  # one for each queue, to measure each
            assert schedule.queue == queue_of(schedule.task)


def test_a_message_waits_in_the_queue_of_its_task() -> None:
    deliver_slice.delay(campaign_id="made up")
    run_import.delay(import_id="made up")
    run_generation.delay(generation_id="made up")
    sweep.delay()
    watch_campaigns.delay()
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        assert {queue: broker.llen(queue) for queue in QUEUES} == dict.fromkeys(QUEUES, 1)


@pytest.mark.django_db
def test_schedules_are_written_once_and_an_operators_choice_stays() -> None:
    call_command("seed_schedules")
    assert PeriodicTask.objects.filter(name__startswith=PREFIX).count() == len(SCHEDULES)
    PeriodicTask.objects.filter(name=PREFIX + "sweep campaigns").update(enabled=False)
    PeriodicTask.objects.create(
        name="the operator's own", task="x", interval=PeriodicTask.objects.filter(interval__isnull=False)[0].interval
    )
    PeriodicTask.objects.create(
        name=PREFIX + "of an older version", task="x", interval=PeriodicTask.objects.all()[0].interval
    )
    before = dict(PeriodicTask.objects.values_list("name", "date_changed"))

    call_command("seed_schedules")
    after = dict(PeriodicTask.objects.values_list("name", "date_changed"))
    assert before.keys() - after.keys() == {PREFIX + "of an older version"}
    assert all(before[name] == changed for name, changed in after.items()), "an unchanged row was written again"
    assert not PeriodicTask.objects.get(name=PREFIX + "sweep campaigns").enabled
