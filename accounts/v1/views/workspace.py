"""`/v1/workspace`, its members and invitations, its log, and socket tickets."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Activity, Invitation, Membership
from accounts.services import members, socket_tickets, workspaces
from accounts.v1 import serializers
from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from pulsequill.core.rest.etags import etag_of, require_match
from pulsequill.core.rest.idempotency import idempotent


class WorkspaceDetail(WorkspaceView):
    """The workspace of this request."""

    permissions_by_action = {"get": "workspace.view", "patch": "workspace.edit"}

    @extend_schema(
        tags=["workspaces"],
        summary="Read the workspace",
        operation_id="workspace_retrieve",
        responses=serializers.WorkspaceSerializer,
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Answer it, with its ETag."""
        data = serializers.WorkspaceSerializer(self.workspace).data
        return Response(data, headers={"ETag": etag_of(self.workspace)})

    @extend_schema(
        tags=["workspaces"],
        summary="Change the workspace",
        operation_id="workspace_update",
        request=serializers.WorkspaceSerializer,
        responses=serializers.WorkspaceSerializer,
    )
    def patch(self, request: Request) -> Response:
        """Change some fields; `If-Match` is honoured."""
        require_match(request, self.workspace)
        serializer = serializers.WorkspaceSerializer(self.workspace, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        workspaces.update_workspace(workspace=self.workspace, actor=self.actor, **serializer.validated_data)
        data = serializers.WorkspaceSerializer(self.workspace).data
        return Response(data, headers={"ETag": etag_of(self.workspace)})


@extend_schema_view(
    list=extend_schema(tags=["members"], summary="List the members", operation_id="members_list"),
    retrieve=extend_schema(tags=["members"], summary="Read a member", operation_id="members_retrieve"),
)
class Members(mixins.ListModelMixin, mixins.RetrieveModelMixin, WorkspaceViewSet):
    """The team."""

    queryset = Membership.objects.select_related("user")
    serializer_class = serializers.MemberSerializer
    permissions_by_action = {
        "list": "member.view",
        "retrieve": "member.view",
        "partial_update": "member.edit",
        "destroy": "member.edit",
    }
    filter_fields = {"role": ["exact"]}
    search_fields = ("user__email", "user__name")
    sort_fields = ("created_at", "role")

    @extend_schema(
        tags=["members"],
        summary="Change a member's role",
        operation_id="members_update",
        request=serializers.MemberSerializer,
        responses=serializers.MemberSerializer,
    )
    def partial_update(self, request: Request, **_kwargs: Any) -> Response:
        """Change the role; owners are made and unmade by owners only."""
        membership = self.get_object()
        serializer = self.get_serializer(membership, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        assert self.actor is not None  # `member.edit` is for people only
        if role := serializer.validated_data.get("role"):
            members.change_role(membership=membership, role=role, actor=self.actor)
        return Response(self.get_serializer(membership).data)

    @extend_schema(tags=["members"], summary="Remove a member", operation_id="members_destroy")
    def destroy(self, request: Request, **_kwargs: Any) -> Response:  # noqa: ARG002
        """Take a member out; what they have open ends at once."""
        assert self.actor is not None
        members.remove_member(membership=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(tags=["invitations"], summary="List the invitations", operation_id="invitations_list"),
    retrieve=extend_schema(tags=["invitations"], summary="Read an invitation", operation_id="invitations_retrieve"),
)
class Invitations(mixins.ListModelMixin, mixins.RetrieveModelMixin, WorkspaceViewSet):
    """Open and past invitations."""

    queryset = Invitation.objects
    serializer_class = serializers.InvitationSerializer
    permissions_by_action = {
        "list": "member.edit",
        "retrieve": "member.edit",
        "create": "member.edit",
        "destroy": "member.edit",
    }
    filter_fields = {"role": ["exact"]}
    search_fields = ("email",)
    sort_fields = ("created_at", "expires_at")

    @extend_schema(
        tags=["invitations"],
        summary="Invite somebody",
        operation_id="invitations_create",
        responses={201: serializers.InvitationSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Mail a link that joins the workspace; it is good for a week."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        assert self.actor is not None
        invitation = members.invite(workspace=self.workspace, actor=self.actor, **serializer.validated_data)
        return Response(self.get_serializer(invitation).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=["invitations"], summary="Take an invitation back", operation_id="invitations_destroy")
    def destroy(self, request: Request, **_kwargs: Any) -> Response:  # noqa: ARG002
        """Take it back; its link ends."""
        members.revoke_invitation(invitation=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(tags=["audit"], summary="List the audit log", operation_id="audit_list"),
    retrieve=extend_schema(tags=["audit"], summary="Read an entry of the audit log", operation_id="audit_retrieve"),
)
class Audit(mixins.ListModelMixin, mixins.RetrieveModelMixin, WorkspaceViewSet):
    """Who did what."""

    queryset = Activity.objects
    serializer_class = serializers.ActivitySerializer
    permissions_by_action = {"list": "activity.view", "retrieve": "activity.view"}
    filter_fields = {
        "kind": ["exact"],
        "object_type": ["exact"],
        "object_id": ["exact"],
        "created_at": ["gte", "lt"],
    }
    search_fields = ("summary", "actor_label")


class SocketTicket(WorkspaceView):
    """Tickets for WebSockets."""

    permissions_by_action = {"post": "workspace.view"}

    @extend_schema(
        tags=["live"],
        summary="Get a socket ticket",
        operation_id="ws_tickets_create",
        request=None,
        responses={201: serializers.TicketSerializer},
    )
    def post(self, request: Request) -> Response:  # noqa: ARG002
        """Answer a ticket for `?ticket=`: one use, 30 seconds."""
        text = socket_tickets.make_ticket(workspace=self.workspace, user=self.actor, api_key=self.api_key)
        body = {"ticket": text, "expires_in": socket_tickets.LIFETIME_S}
        return Response(body, status=status.HTTP_201_CREATED)
