"""One row of every table for a workspace, made from the models themselves: a new model is covered at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils import timezone
from pgvector.django import VectorField

from accounts.models import Membership, User, Workspace
from accounts.models.membership import Role
from accounts.services import sessions
from analytics.ingest import archive
from analytics.models import Event, EventArchive
from pulsequill.core.ids import uuid7

OURS = ("accounts", "aiwriter", "audiences", "campaigns", "analytics")


def tenant_models() -> list[type[models.Model]]:
    """Return every model that belongs to a workspace, directly or through a row that does."""
    return [
        model
        for label in OURS
        for model in apps.get_app_config(label).get_models()
        if model not in (Workspace, User) and _workspace_path(model) is not None
    ]


def _workspace_path(model: type[models.Model], seen: frozenset[type] = frozenset()) -> list[str] | None:
    """Return the columns that lead from a row to its workspace."""
    for relation in model._meta.fields:
        if relation.is_relation and relation.related_model is Workspace:
            return [relation.attname]
    for relation in model._meta.fields:
        target = relation.related_model
        if relation.is_relation and not relation.null and target not in seen and target not in (User, model):
            further = _workspace_path(target, seen | {model}) if target._meta.app_label in OURS else None
            if further is not None:
                return [relation.attname, *further]
    return None


def _filler(column: models.Field, marker: str) -> Any:
    number = abs(hash((column.model.__name__, column.name, marker))) % 30_000
    match column:
        case _ if column.choices:
            return column.choices[0][0]
        case models.EmailField():
            return f"{marker}.{number}@rows.example"
        case models.URLField():
            return f"https://hooks.rows.example/{marker}/{number}"
        case models.UUIDField():
            return uuid7()
        case models.DateTimeField():
            return timezone.now() + timedelta(days=1)
        case models.DateField():
            return timezone.now().date()
        case models.BooleanField():
            return False
        case models.IntegerField():
            return number
        case models.FloatField() | models.DecimalField():
            return 1
        case models.BinaryField():
            return b"From: a@rows.example\r\nSubject: " + marker.encode() + b"\r\n\r\n" + marker.encode()
        case models.JSONField():
            return {}
        case ArrayField():
            return []
        case VectorField():
            return [0.1] * (column.dimensions or 3)
        case _:
            text = f"{marker}-{number}"
            return text[-column.max_length :] if column.max_length else text


@dataclass
class Tenant:
    """A workspace, its people, and one row of everything."""

    marker: str
    workspace: Workspace
    owner: User
    analyst: User
    rows: dict[type[models.Model], Any] = field(default_factory=dict)
    #: Models whose row is being made: a relation that may be empty does not lead back to one of them.
    _making: set[type[models.Model]] = field(default_factory=set)

    def row(self, model: type[models.Model]) -> Any:
        """Return this tenant's row of a model, made on first demand."""
        if model is Workspace:
            return self.workspace
        if model is User:
            return self.owner
        if model is Membership:
            return Membership.objects.across_workspaces().get(workspace=self.workspace, user=self.owner)
        if model not in self.rows:
            self.rows[model] = self._make(model)
        return self.rows[model]

    def _make(self, model: type[models.Model]) -> Any:
        values: dict[str, Any] = {}
        self._making.add(model)
        for column in model._meta.fields:
            if column.is_relation:
                is_ours = column.related_model is not model and column.related_model._meta.app_label in OURS
                if is_ours and not (column.null and column.related_model in self._making):
                    values[column.name] = self.row(column.related_model)
            elif not (
                column.primary_key
                or column.has_default()
                or column.null
                or column.blank
                or getattr(column, "auto_now", False)
                or getattr(column, "auto_now_add", False)
            ):
                values[column.name] = _filler(column, self.marker)
        self._making.discard(model)
        if model is EventArchive:  # filled by moving events, which bring their keys along
            archive.make_room(timezone.now().date())
            values["id"] = self.row(Event).pk
        return model._default_manager.create(**values)

    def public_id(self, model: type[models.Model]) -> str:
        """Return a row's id as it stands in addresses."""
        row = self.row(model)
        return str(getattr(row, "public_id", row.pk))

    def access(self, user: User) -> str:
        """Return an access token of one of the tenant's people."""
        return sessions.start_session(user=user).access


def make_tenant(name: str, marker: str) -> Tenant:
    """Make a workspace with an owner, an analyst and one row of every table."""
    unusable = make_password(None)
    people = [User.objects.create(email=f"{role}@{marker}.example", name=marker, password=unusable) for role in "oa"]
    workspace = Workspace.objects.create(name=f"{name} {marker}", slug=name)
    tenant = Tenant(marker, workspace, *people)
    Membership.objects.create(workspace=workspace, user=people[0], role=Role.OWNER)
    Membership.objects.create(workspace=workspace, user=people[1], role=Role.ANALYST)
    for model in tenant_models():
        tenant.row(model)
    return tenant


def _joined(model: type[models.Model]) -> tuple[str, str]:
    """Return `FROM` with joins, and the column that holds the workspace."""
    path = _workspace_path(model)
    assert path is not None
    alias, sql = "t0", f'"{model._meta.db_table}" t0'
    for depth, column in enumerate(path[:-1], start=1):
        target = next(f.related_model for f in model._meta.fields if f.attname == column)
        sql += f' JOIN "{target._meta.db_table}" t{depth} ON t{depth}."{target._meta.pk.column}" = {alias}."{column}"'
        alias, model = f"t{depth}", target
    return sql, f'{alias}."{path[-1]}"'


def fingerprint(workspace_id: Any) -> dict[str, str]:
    """Return a hash of each table's rows of one workspace, with one statement."""
    parts, values = [], []
    for model in tenant_models():
        source, column = _joined(model)
        parts.append(
            f"SELECT '{model._meta.db_table}', md5(coalesce(string_agg(t0::text, '|' ORDER BY t0::text), ''))"
            f" FROM {source} WHERE {column} = %s"
        )
        values.append(workspace_id)
    parts.append("SELECT 'workspace', md5(t::text) FROM accounts_workspace t WHERE id = %s")
    values.append(workspace_id)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        return dict(cursor.fetchall())


def crossing_rows() -> list[str]:
    """Return every foreign key value that leads from one workspace's row to another workspace's."""
    found = []
    with connection.cursor() as cursor:
        for model in tenant_models():
            if _workspace_path(model) != ["workspace_id"]:
                continue
            for column in model._meta.fields:
                target = column.related_model
                if (
                    not column.is_relation
                    or target not in tenant_models()
                    or _workspace_path(target) != ["workspace_id"]
                ):
                    continue
                cursor.execute(
                    f'SELECT count(*) FROM "{model._meta.db_table}" a JOIN "{target._meta.db_table}" b'
                    f' ON a."{column.column}" = b."{target._meta.pk.column}" WHERE a.workspace_id <> b.workspace_id'
                )
                if cursor.fetchone()[0]:
                    found.append(f"{model.__name__}.{column.name}")
    return found
