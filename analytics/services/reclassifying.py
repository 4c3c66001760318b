"""Running the rules about machines again over what is kept: shown first, then done."""

from __future__ import annotations

from django.db import transaction

from accounts.activity import record
from accounts.models import User, Workspace
from analytics import tasks
from analytics.ingest.bots import RULES_VERSION
from analytics.models import RuleRun
from pulsequill.core.errors import WrongState

ACTIVE = (RuleRun.Status.QUEUED, RuleRun.Status.RUNNING)


def start_rule_run(*, workspace: Workspace, actor: User | None, is_dry_run: bool) -> RuleRun:
    """Judge all kept opens and clicks of a workspace again by the rules of today, in the background.

    Args:
        workspace: whose.
        actor: who asks.
        is_dry_run: only show which figures would change.

    Raises:
        WrongState: a run of this workspace is under way.
    """
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        if RuleRun.objects.for_workspace(workspace).filter(status__in=ACTIVE).exists():
            raise WrongState("The rules are being run over this workspace's history already.")
        run = RuleRun.objects.create(
            workspace=workspace, rules_version=RULES_VERSION, is_dry_run=is_dry_run, created_by=actor
        )
        record(
            workspace=workspace,
            kind="rules.previewed" if is_dry_run else "rules.applied",
            summary=f"{'Previewed' if is_dry_run else 'Applied'} version {RULES_VERSION} of the rules about machines "
            "to all opens and clicks",
            actor=actor,
            subject=run,
        )
    tasks.run_rules.delay_on_commit(run_id=str(run.pk))
    return run
