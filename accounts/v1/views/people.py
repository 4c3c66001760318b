"""`/v1/me`, `/v1/workspaces`, accepting an invitation: about the person, whatever the workspace."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.services import members, people, workspaces
from accounts.v1 import serializers
from accounts.v1.base import PersonView
from pulsequill.core.rest.idempotency import idempotent
from pulsequill.core.rest.throttling import client_address


class Me(PersonView):
    """The signed-in person."""

    @extend_schema(tags=["me"], summary="Read me", operation_id="me_retrieve", responses=serializers.UserSerializer)
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Answer the person."""
        return Response(serializers.UserSerializer(self.actor).data)

    @extend_schema(
        tags=["me"],
        summary="Change me",
        operation_id="me_update",
        request=serializers.UserSerializer,
        responses=serializers.UserSerializer,
    )
    def patch(self, request: Request) -> Response:
        """Change `name` or `theme`."""
        serializer = serializers.UserSerializer(self.actor, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        people.update_profile(user=self.actor, **serializer.validated_data)
        return Response(serializers.UserSerializer(self.actor).data)


class Password(PersonView):
    """Changing one's password."""

    @extend_schema(
        tags=["me"],
        summary="Change my password",
        operation_id="me_password",
        request=serializers.PasswordChangeSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Change it; every session ends, this one too."""
        serializer = serializers.PasswordChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        people.change_password(
            user=self.actor,
            current=serializer.validated_data["current_password"],
            new=serializer.validated_data["new_password"],
            address=client_address(request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class Workspaces(PersonView):
    """The workspaces that I belong to."""

    @extend_schema(
        tags=["workspaces"],
        summary="List my workspaces",
        operation_id="workspaces_list",
        responses=serializers.WorkspaceMembershipSerializer(many=True),
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """List them all: nobody belongs to so many that they need pages."""
        found = selectors.get_memberships(self.actor)
        rows = serializers.WorkspaceMembershipSerializer(found, many=True).data
        return Response({"results": rows, "next": None, "previous": None})

    @extend_schema(
        tags=["workspaces"],
        summary="Make a workspace",
        operation_id="workspaces_create",
        request=serializers.WorkspaceSerializer,
        responses={201: serializers.WorkspaceSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make one that I own."""
        serializer = serializers.WorkspaceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        workspace = workspaces.create_workspace(owner=self.actor, **serializer.validated_data)
        return Response(serializers.WorkspaceSerializer(workspace).data, status=status.HTTP_201_CREATED)


class AcceptInvitation(PersonView):
    """Joining a workspace."""

    @extend_schema(
        tags=["invitations"],
        summary="Accept an invitation",
        operation_id="invitations_accept",
        request=serializers.AcceptSerializer,
        responses={200: serializers.WorkspaceMembershipSerializer},
    )
    def post(self, request: Request) -> Response:
        """Join the workspace that the link's token invites to."""
        serializer = serializers.AcceptSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        membership = members.accept_invitation(user=self.actor, **serializer.validated_data)
        return Response(serializers.WorkspaceMembershipSerializer(membership).data)
