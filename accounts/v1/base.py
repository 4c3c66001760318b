"""What every `/v1` endpoint builds on: the workspace, the actor, scoped rows and the conventions' filters."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.relations import MANY_RELATION_KWARGS, ManyRelatedField
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.models import ApiKey, Membership, User, Workspace
from accounts.v1.permissions import PersonPermission, WorkspacePermission
from pulsequill.core.rest.filters import FieldFilter, TextSearch


class _InWorkspace:
    """Attributes that `WorkspacePermission` sets before a handler runs."""

    #: Action (or HTTP method, for plain views) -> key of `accounts.permissions.PERMISSIONS`. No default: a handler
    #: without an entry is a KeyError in its first test.
    permissions_by_action: ClassVar[dict[str, str]] = {}

    workspace: Workspace
    membership: Membership | None
    actor: User | None
    api_key: ApiKey | None


class WorkspaceView(_InWorkspace, APIView):
    """One endpoint of the caller's workspace."""

    permission_classes = (WorkspacePermission,)
    membership = None

    def get_serializer_context(self) -> dict[str, Any]:
        """What serializers of this endpoint may read."""
        return {"request": self.request, "view": self, "workspace": self.workspace, "actor": self.actor}


class WorkspaceViewSet(_InWorkspace, GenericViewSet[Any]):
    """The endpoints of one noun. `queryset` is a tenant manager or queryset and is scoped here.

    Optional: `search_fields` (`?q=`), `filterset_class` or `filter_fields`, `sort_fields`, `default_sort`.
    """

    permission_classes = (WorkspacePermission,)
    membership = None
    queryset: Any = None
    lookup_field = "id"
    filter_backends = (FieldFilter, TextSearch)

    def get_queryset(self) -> QuerySet[Any]:
        """Return the workspace's rows; another workspace's row is a 404 like any other absent one."""
        rows: Any = self.queryset.all()
        found: QuerySet[Any] = (
            rows.none() if getattr(self, "swagger_fake_view", False) else rows.for_workspace(self.workspace)
        )
        return found

    def get_serializer_context(self) -> dict[str, Any]:
        """What serializers of this noun may read."""
        return {
            **super().get_serializer_context(),
            "workspace": getattr(self, "workspace", None),
            "actor": getattr(self, "actor", None),
        }


class PersonView(APIView):
    """An endpoint about the signed-in person, whatever the workspace."""

    permission_classes = (PersonPermission,)
    actor: User


class PublicView(APIView):
    """An endpoint that needs no credentials, and ignores those that come along."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    is_public = True


class _WorkspaceRelatedList(ManyRelatedField):
    """Many related rows, found with one query."""

    def to_internal_value(self, data: Any) -> list[Any]:
        """Return the rows in the order of their ids; each that is missing is an error at its position."""
        if not isinstance(data, list | tuple | set):
            self.fail("not_a_list", input_type=type(data).__name__)
        if not self.allow_empty and not data:
            self.fail("empty")
        child: WorkspaceRelatedField = self.child_relation  # type: ignore[assignment]
        as_id: Any = child.pk_field
        ids = [as_id.to_internal_value(item) for item in data]
        found = child.get_queryset().in_bulk(set(ids))
        for pk in ids:
            if pk not in found:
                child.fail("does_not_exist", pk_value=pk)
        return [found[pk] for pk in dict.fromkeys(ids)]


class WorkspaceRelatedField(serializers.PrimaryKeyRelatedField[Any]):
    """A related row of the same workspace, by id. Another workspace's id does not exist."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("pk_field", serializers.UUIDField())
        super().__init__(**kwargs)

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> Any:
        """Build the list field for `many=True`."""
        list_kwargs: dict[str, Any] = {
            "child_relation": cls(*args, **{k: v for k, v in kwargs.items() if k != "allow_empty"})
        }
        list_kwargs |= {key: value for key, value in kwargs.items() if key in MANY_RELATION_KWARGS}
        return _WorkspaceRelatedList(**list_kwargs)

    def get_queryset(self) -> Any:
        """Return the workspace's rows only."""
        rows: Any = super().get_queryset()
        workspace = self.context.get("workspace")
        if rows is None or workspace is None:
            return rows if rows is None else rows.none()
        return rows.for_workspace(workspace)
