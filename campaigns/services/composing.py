"""Making and editing campaigns. Every edit raises the revision; an edit made on an old one is refused, not merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from accounts import activity
from accounts.models import User, Workspace
from aiwriter.models import Brief
from audiences.models import ContactList, Segment
from campaigns.braking import parse_brake
from campaigns.content import mustache
from campaigns.content.article import check_markdown
from campaigns.content.blocks import validate_blocks
from campaigns.content.links import UTM_NAMES, UTM_TAGS, tags_of_utm
from campaigns.content.mjml_source import check_mjml
from campaigns.content.sanitising import without_control_characters
from campaigns.lifecycle import DELETABLE
from campaigns.models import Campaign, Sender, Variant
from campaigns.services import experiments, versions
from campaigns.services.editing import lock_for_edit
from campaigns.windows import parse_window
from pulsequill.core.errors import FieldError, Invalid, NotFound, WrongState

MAX_VARIANTS = 4
FIRST_LABEL = "A"
_LABELS = "ABCD"

#: What `update_campaign` takes, besides `variants` and `experiment`.
PACE = ("send_at", "timezone_mode", "send_window", "throttle_per_hour")
#: Who gets nothing, and who gets it first: column -> the least and the most.
PARTS: dict[str, tuple[int, int]] = {"holdout_share": (0, 50), "canary_share": (0, 20), "canary_minutes": (5, 1440)}
COLUMNS = frozenset({"name", "sender", "track_opens", "track_clicks", "utm", "brief", "brake", *PACE, *PARTS})
AUDIENCE = ("lists", "segments", "exclude_lists", "exclude_segments")
CONTENT = ("subject", "preview_text", "format", "body", "text", "share", "draft", "sender", "send_delay_minutes")
MOST_DELAY_MINUTES = 7 * 24 * 60


def _refuse(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, code, detail)])


def _same_workspace(campaign: Campaign, rows: Iterable[Sender | Brief | ContactList | Segment]) -> None:
    """Raise `NotFound` when a row is another workspace's: callers look rows up, this makes sure that they did."""
    if any(row.workspace_id != campaign.workspace_id for row in rows):
        raise NotFound


def clean_name(name: str) -> str:
    """Return a campaign's name on one line.

    Raises:
        Invalid: empty or longer than 160 characters.
    """
    name = " ".join(without_control_characters(str(name)).split())
    if not name:
        raise _refuse("name", "required", "Give the campaign a name.")
    if len(name) > 160:
        raise _refuse("name", "too_long", "The name is longer than 160 characters.")
    return name


def _clean_line(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise _refuse(field, "not_text", "This must be text.")
    if "\n" in value or "\r" in value:
        raise _refuse(field, "one_line", "This must be on one line.")
    line = without_control_characters(value)
    if len(line) > 300:
        raise _refuse(field, "too_long", "This is longer than 300 characters.")
    mustache.validate(line, field=field)
    return line


def clean_body(body: Any, body_format: str, *, field: str = "body") -> Any:
    """Return a body that is safe to store: blocks cleaned, the other formats checked for what they may not hold.

    Raises:
        Invalid: says where, with line and column for templates.
    """
    if body_format == Variant.Format.BLOCKS:
        return validate_blocks(body, field=field)
    if not isinstance(body, str):
        raise _refuse(field, "not_text", f"A body of the format {body_format} is text.")
    body = without_control_characters(body)
    mustache.validate(body, field=field)
    if body_format == Variant.Format.MJML:
        check_mjml(body, field=field)
    if body_format == Variant.Format.MARKDOWN:
        check_markdown(body, field=field)
    return body


def _clean_variant(content: Mapping[str, Any], current: Variant, path: str) -> dict[str, Any]:
    """Return the columns to set on a variant."""
    if unknown := set(content) - {"label", *CONTENT}:
        raise _refuse(f"{path}.{min(unknown)}", "unknown_field", f"A variant has no {min(unknown)}.")
    columns = {name: content[name] for name in CONTENT if name in content}
    for name in ("subject", "preview_text"):
        if name in columns:
            columns[name] = _clean_line(columns[name], f"{path}.{name}")
    if "text" in columns:
        if not isinstance(columns["text"], str):
            raise _refuse(f"{path}.text", "not_text", "This must be text.")
        columns["text"] = without_control_characters(columns["text"])
        mustache.validate(columns["text"], field=f"{path}.text")
    body_format = columns.get("format", current.format)
    if body_format not in Variant.Format.values:
        raise _refuse(f"{path}.format", "not_a_choice", f"A format is one of {', '.join(Variant.Format.values)}.")
    if "body" in columns or "format" in columns:
        empty: Any = [] if body_format == Variant.Format.BLOCKS else ""
        given = columns.get("body", current.body if body_format == current.format else empty)
        columns["body"] = clean_body(given, body_format, field=f"{path}.body")
    share = columns.get("share")
    if share is not None and not _is_between(share, 1, 100):
        raise _refuse(f"{path}.share", "out_of_range", "A share is a whole number from 1 to 100.")
    if not _is_between(columns.get("send_delay_minutes", 0), 0, MOST_DELAY_MINUTES):
        raise _refuse(f"{path}.send_delay_minutes", "out_of_range", "A variant leaves at most seven days later.")
    return columns


def _is_between(value: Any, least: int, most: int) -> bool:
    """Return whether a value is a whole number within bounds."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _save_variants(
    campaign: Campaign, variants: Sequence[Mapping[str, Any]], *, replaces: bool, actor: User | None, note: str
) -> None:
    if not 1 <= len(variants) <= MAX_VARIANTS:
        raise _refuse("variants", "wrong_number", f"A campaign has 1 to {MAX_VARIANTS} variants.")
    stored = {
        variant.label: variant
        for variant in Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign)
    }
    seen: list[str] = []
    for number, content in enumerate(variants):
        path = f"variants.{number}"
        label = content.get("label") or _LABELS[number]
        if not isinstance(label, str) or not label.strip() or len(label) > 20 or label in seen:
            raise _refuse(f"{path}.label", "bad_label", "A label is a short text, different for each variant.")
        seen.append(label)
        variant = stored.get(label) or Variant(workspace_id=campaign.workspace_id, campaign=campaign, label=label)
        columns = _clean_variant(content, variant, path)
        if columns.get("sender") is not None:
            _same_workspace(campaign, [columns["sender"]])
        for name, value in columns.items():
            setattr(variant, name, value)
        stored[label] = variant
    kept = {label: variant for label, variant in stored.items() if not replaces or label in seen}
    if len(kept) > MAX_VARIANTS:
        raise _refuse("variants", "wrong_number", f"A campaign has at most {MAX_VARIANTS} variants.")
    _share_out(
        kept, {str(content.get("label") or _LABELS[n]) for n, content in enumerate(variants) if "share" in content}
    )
    for label, variant in kept.items():
        variant.save()
        if label in seen and (variant.subject or variant.body):
            versions.keep_variant_version(variant=variant, actor=actor, note=note)
    Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign).exclude(label__in=kept).delete()


def _share_out(variants: Mapping[str, Variant], given: set[str]) -> None:
    """Make the shares add up to 100: those that were not given split what is left."""
    if len(variants) == 1:
        for variant in variants.values():
            variant.share = 100
        return
    if sum(variant.share for variant in variants.values()) == 100:
        return
    open_ones = [variant for label, variant in variants.items() if label not in given]
    left = 100 - sum(variant.share for label, variant in variants.items() if label in given)
    if (not open_ones and left != 0) or (open_ones and left < len(open_ones)):
        raise _refuse("variants", "wrong_shares", "The variants' shares must add up to 100.")
    for number, variant in enumerate(open_ones):
        variant.share = left // len(open_ones) + (1 if number < left % len(open_ones) else 0)


def _clean_utm(utm: Any) -> dict[str, str]:
    if not isinstance(utm, dict) or set(utm) - set(UTM_NAMES):
        raise _refuse("utm", "unknown_field", f"utm holds {', '.join(UTM_NAMES)}.")
    for name, value in utm.items():
        if not isinstance(value, str) or len(value) > 100:
            raise _refuse(f"utm.{name}", "not_text", "This must be text of at most 100 characters.")
        if unknown := set(tags_of_utm(value)) - set(UTM_TAGS):
            known = ", ".join(f"{{{{{tag}}}}}" for tag in UTM_TAGS)
            raise _refuse(f"utm.{name}", "unknown_tag", f"No {{{{{min(unknown)}}}}} here: only {known}.")
    return {name: value for name, value in utm.items() if value}


@transaction.atomic
def create_campaign(
    *, workspace: Workspace, actor: User | None, name: str, changes: Mapping[str, Any] | None = None
) -> Campaign:
    """Make a draft with one empty variant, or with what `changes` says (see `update_campaign`).

    Raises:
        Invalid: a field is not valid.
        NotFound: a related row is another workspace's.
    """
    campaign = Campaign(workspace=workspace, name=clean_name(name), created_by=actor)
    campaign.save()
    changes = {key: value for key, value in (changes or {}).items() if key != "name"}
    first = {"variants": [{"label": FIRST_LABEL}], **changes}
    _apply(campaign, first, replaces_variants=True, actor=actor, note="As it began")
    campaign.save()
    activity.record(
        workspace=workspace, actor=actor, kind="campaign.created", summary=f"Made the campaign {campaign.name}.",
        subject=campaign,
    )  # fmt: skip
    return campaign


def _apply(
    campaign: Campaign, changes: Mapping[str, Any], *, replaces_variants: bool, actor: User | None, note: str
) -> None:
    if unknown := set(changes) - COLUMNS - set(AUDIENCE) - {"variants", "experiment"}:
        raise _refuse(min(unknown), "unknown_field", f"A campaign has no {min(unknown)}.")
    columns = {name: value for name, value in changes.items() if name in COLUMNS}
    if "name" in columns:
        columns["name"] = clean_name(columns["name"])
    if "utm" in columns:
        columns["utm"] = _clean_utm(columns["utm"])
    if "send_window" in columns:
        window = parse_window(columns["send_window"])
        columns["send_window"] = window.as_json() if window else {}
    if columns.get("timezone_mode", Campaign.TimezoneMode.WORKSPACE) not in Campaign.TimezoneMode.values:
        modes = ", ".join(Campaign.TimezoneMode.values)
        raise _refuse("timezone_mode", "not_a_choice", f"timezone_mode is one of {modes}.")
    if "brake" in columns:
        columns["brake"] = parse_brake(columns["brake"])
    for name, (least, most) in PARTS.items():
        if not _is_between(columns.get(name, least), least, most):
            raise _refuse(name, "out_of_range", f"{name} is a whole number from {least} to {most}.")
    _same_workspace(campaign, [columns[name] for name in ("sender", "brief") if columns.get(name) is not None])
    for name, value in columns.items():
        setattr(campaign, name, value)
    for name in AUDIENCE:
        if name in changes:
            _same_workspace(campaign, changes[name])
            getattr(campaign, name).set(changes[name])
    if "variants" in changes:
        _save_variants(campaign, changes["variants"], replaces=replaces_variants, actor=actor, note=note)
    if "experiment" in changes:
        experiments.save_plan(campaign=campaign, plan=changes["experiment"])


@transaction.atomic
def update_campaign(
    *,
    campaign: Campaign,
    actor: User | None,
    changes: Mapping[str, Any],
    expected_revision: int | None = None,
    replaces_variants: bool = False,
    note: str = "",
) -> Campaign:
    """Change a draft. What its variants say then is kept as a version; autosaves are too many for the audit log.

    Args:
        campaign: any copy of it.
        actor: who edits.
        changes: columns (`COLUMNS`), audience choices as rows (`AUDIENCE`), `variants`: objects with a `label` and
            any of `CONTENT`; labels that exist are changed, others made; and `experiment`: any of `experiments.PLAN`.
        expected_revision: the revision that the editor saw; None overwrites.
        replaces_variants: variants whose label is not named are removed.
        note: why the versions are kept; empty for editing (see `versions.keep_variant_version`).

    Returns:
        The campaign with its new revision.

    Raises:
        Invalid, NotFound, WrongState, Stale: nothing was changed then.
    """
    if "experiment" in changes:
        experiments.refuse_fixed(campaign)
    row = lock_for_edit(campaign, expected_revision)
    _apply(row, changes, replaces_variants=replaces_variants, actor=actor, note=note)
    row.revision += 1
    row.save()
    return row


@transaction.atomic
def duplicate_campaign(*, campaign: Campaign, actor: User | None, name: str = "") -> Campaign:
    """Return a new draft with the same content, sender, audience and plan of its test.

    Whatever happened to the old one stays there, the result of its test too.
    """
    copy = Campaign(
        workspace_id=campaign.workspace_id,
        name=clean_name(name or f"{campaign.name[:150]} (copy)"),
        sender_id=campaign.sender_id,
        track_opens=campaign.track_opens,
        track_clicks=campaign.track_clicks,
        utm=campaign.utm,
        throttle_per_hour=campaign.throttle_per_hour,
        timezone_mode=campaign.timezone_mode,
        send_window=campaign.send_window,
        brief_id=campaign.brief_id,
        brake=campaign.brake,
        created_by=actor,
        **{name: getattr(campaign, name) for name in PARTS},
    )
    copy.save()
    for audience in AUDIENCE:
        getattr(copy, audience).set(getattr(campaign, audience).all())
    for variant in Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign):
        Variant(
            workspace_id=campaign.workspace_id,
            campaign=copy,
            **{
                name: getattr(variant, name)
                for name in ("label", *(f"{name}_id" if name in ("draft", "sender") else name for name in CONTENT))
            },
        ).save()
    experiments.copy_plan(campaign=campaign, copy=copy)
    activity.record(
        workspace=campaign.workspace, actor=actor, kind="campaign.duplicated",
        summary=f"Copied the campaign {campaign.name}.", subject=copy, source=str(campaign.pk),
    )  # fmt: skip
    return copy


@transaction.atomic
def delete_campaign(*, campaign: Campaign, actor: User | None) -> None:
    """Delete a campaign that sent nothing.

    Raises:
        WrongState: it is scheduled, running or was sent: its ledger is kept.
    """
    row = (
        Campaign.objects.for_workspace(campaign.workspace_id)
        .select_for_update(of=("self",))
        .filter(pk=campaign.pk)
        .first()
    )
    if row is None:
        raise NotFound
    if row.status not in DELETABLE or row.messages.filter(is_test=False).exclude(status="skipped").exists():
        raise WrongState("Only a draft can be deleted: what was sent is kept.", status_now=row.status)
    activity.record(
        workspace=row.workspace, actor=actor, kind="campaign.deleted", summary=f"Deleted the campaign {row.name}.",
        subject=row,
    )  # fmt: skip
    row.delete()
