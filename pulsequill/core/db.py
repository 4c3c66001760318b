"""Tenant rows and the database primitives that more than one app needs.

`Workspace` is the tenant. A query on a tenant model made while a request is being answered must name its workspace
(`Model.objects.for_workspace(workspace)`, or any filter on `workspace`), or it raises `UnscopedQuery` before it
reaches the database. Background code sees all rows; the admin says so with `across_workspaces()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self, TypeVar
from zlib import crc32

from django.db import connection, models
from django.db.models.sql.where import WhereNode

from pulsequill.core.ids import uuid7

_M = TypeVar("_M", bound=models.Model)

_answering_request: ContextVar[bool] = ContextVar("answering_request", default=False)


class UnscopedQuery(RuntimeError):
    """Request code asked for tenant rows without saying whose."""


@contextmanager
def request_scope() -> Iterator[None]:
    """Within this block, tenant models refuse queries that do not name their workspace."""
    mark = _answering_request.set(True)
    try:
        yield
    finally:
        _answering_request.reset(mark)


def _names_workspace(where: WhereNode) -> bool:
    for child in where.children:
        if isinstance(child, WhereNode):
            if not child.negated and child.connector == "AND" and _names_workspace(child):
                return True
        elif getattr(getattr(getattr(child, "lhs", None), "target", None), "attname", "") == "workspace_id":
            return True
    return False


class TenantQuerySet(models.QuerySet[_M]):
    """A queryset that knows whether it was told a workspace."""

    _is_scoped = False

    def for_workspace(self, workspace: Any) -> Self:
        """Keep the rows of one workspace (a `Workspace` or its id)."""
        scoped = self.filter(workspace_id=getattr(workspace, "pk", workspace))
        scoped._is_scoped = True
        return scoped

    def across_workspaces(self) -> Self:
        """Allow all tenants' rows: for the admin and for the system's own work only."""
        free = self.all()
        free._is_scoped = True
        return free

    def _clone(self) -> Self:
        clone = super()._clone()  # type: ignore[misc]
        clone._is_scoped = self._is_scoped
        return clone  # type: ignore[no-any-return]

    def _refuse_unscoped(self) -> None:
        if (
            _answering_request.get()
            and not self._is_scoped
            and not self._hints.get("instance")  # type: ignore[attr-defined]
            and not _names_workspace(self.query.where)
        ):
            raise UnscopedQuery(f"{self.model.__name__}: name the workspace with for_workspace(...).")

    def _fetch_all(self) -> None:
        self._refuse_unscoped()
        super()._fetch_all()

    def iterator(self, chunk_size: int | None = None) -> Iterator[_M]:
        self._refuse_unscoped()
        return super().iterator(chunk_size)

    def count(self) -> int:
        self._refuse_unscoped()
        return super().count()

    def exists(self) -> bool:
        self._refuse_unscoped()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._refuse_unscoped()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._refuse_unscoped()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._refuse_unscoped()
        return super().delete()


class TenantManager(models.Manager[_M]):
    """`objects` of every tenant model."""

    def get_queryset(self) -> TenantQuerySet[_M]:
        """Return all rows; request code must narrow them to a workspace before it evaluates them."""
        return TenantQuerySet(self.model, using=self._db, hints=self._hints)  # type: ignore[attr-defined]

    def for_workspace(self, workspace: Any) -> TenantQuerySet[_M]:
        """Keep the rows of one workspace (a `Workspace` or its id)."""
        return self.get_queryset().for_workspace(workspace)

    def across_workspaces(self) -> TenantQuerySet[_M]:
        """Allow all tenants' rows: for the admin and for the system's own work only."""
        return self.get_queryset().across_workspaces()


class TenantModel(models.Model):
    """A row that belongs to one workspace, with a UUIDv7 public id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager()

    class Meta:
        abstract = True


@contextmanager
def advisory_lock(name: str) -> Iterator[bool]:
    """Hold a PostgreSQL advisory lock for the current transaction, without waiting.

    Must run inside `transaction.atomic()`: the lock ends with the transaction, so a crash cannot leave it behind.

    Yields:
        True when this process got the lock, False when another holds it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [crc32(name.encode())])
        yield bool(cursor.fetchone()[0])
