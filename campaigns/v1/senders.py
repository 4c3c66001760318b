"""`/v1/senders` and `/v1/sending-domains`."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from campaigns.models import Sender, SendingDomain
from campaigns.services import senders
from campaigns.v1.serializers import SenderSerializer, SendingDomainSerializer
from pulsequill.core.errors import NotFound
from pulsequill.core.rest.idempotency import idempotent

SENDER_TAGS = ["senders"]
DOMAIN_TAGS = ["sending-domains"]


class SenderViewSet(WorkspaceViewSet):
    """Whom mail comes from."""

    queryset = Sender.objects
    serializer_class = SenderSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "sender.view",
        "retrieve": "sender.view",
        "create": "sender.edit",
        "partial_update": "sender.edit",
        "destroy": "sender.edit",
    }
    search_fields = ("from_name", "from_email")
    sort_fields = frozenset({"created_at", "from_name"})

    @extend_schema(tags=SENDER_TAGS, summary="List senders", operation_id="senders_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the senders, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=SENDER_TAGS, summary="Make a sender", operation_id="senders_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Make a sender; its domain is noted as one to verify."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        sender = senders.create_sender(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(sender).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=SENDER_TAGS, summary="Read a sender", operation_id="senders_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one sender."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(tags=SENDER_TAGS, summary="Change a sender", operation_id="senders_partial_update")
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Change name, address or reply address."""
        sender = self.get_object()
        given = self.get_serializer(sender, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changed = senders.update_sender(sender=sender, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(changed).data)

    @extend_schema(tags=SENDER_TAGS, summary="Delete a sender", operation_id="senders_destroy")
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Delete a sender that no campaign names."""
        senders.delete_sender(sender=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SendingDomainViewSet(WorkspaceViewSet):
    """Domains to send from."""

    queryset = SendingDomain.objects
    serializer_class = SendingDomainSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "sender.view",
        "retrieve": "sender.view",
        "create": "sender.edit",
        "destroy": "sender.edit",
    }
    search_fields = ("name",)
    sort_fields = frozenset({"created_at", "name"})

    @extend_schema(tags=DOMAIN_TAGS, summary="List sending domains", operation_id="sending_domains_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the domains, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=DOMAIN_TAGS, summary="Add a sending domain", operation_id="sending_domains_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a domain; the answer holds the DNS records to publish. Check it when they are."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        domain = senders.create_domain(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(domain).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=DOMAIN_TAGS, summary="Read a sending domain", operation_id="sending_domains_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one domain with what was found when it was last checked."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(tags=DOMAIN_TAGS, summary="Remove a sending domain", operation_id="sending_domains_destroy")
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Forget a domain."""
        senders.delete_domain(domain=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SendingDomainActionView(WorkspaceView):
    """Base of what can be done with one sending domain."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "sender.edit"}

    def get_domain(self, id: Any) -> SendingDomain:  # noqa: A002
        """Return the domain of the address.

        Raises:
            NotFound: absent, or another workspace's.
        """
        domain = SendingDomain.objects.for_workspace(self.workspace).select_related("workspace").filter(pk=id).first()
        if domain is None:
            raise NotFound
        return domain


class SendingDomainCheckView(SendingDomainActionView):
    """Ask the DNS."""

    @extend_schema(
        tags=DOMAIN_TAGS,
        summary="Check a sending domain",
        operation_id="sending_domains_check",
        request=None,
        responses={200: SendingDomainSerializer},
    )
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Look the domain's records up now; it is verified when all that are required are right. Takes up to 10 s."""
        domain = senders.verify_domain(domain=self.get_domain(id), actor=self.actor)
        return Response(SendingDomainSerializer(domain).data)


class SendingDomainKeyView(SendingDomainActionView):
    """Make a new DKIM key."""

    @extend_schema(
        tags=DOMAIN_TAGS,
        summary="Replace a sending domain's DKIM key",
        operation_id="sending_domains_key",
        request=None,
        responses={200: SendingDomainSerializer},
    )
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Make a new DKIM key; the domain is unverified and signs nothing until it is published and checked."""
        domain = senders.replace_dkim_key(domain=self.get_domain(id), actor=self.actor)
        return Response(SendingDomainSerializer(domain).data)
