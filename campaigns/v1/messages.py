"""`/v1/campaigns/{id}/messages` and `/v1/messages/{id}/...`: the ledger, and settling what is in doubt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from campaigns.models import Message
from campaigns.selectors import campaigns as campaign_selectors
from campaigns.selectors import ledger
from campaigns.services import doubts, messages
from pulsequill.core.ids import bigint_from_uuid7
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["messages"]
#: Messages that one request may settle.
MOST_IDS = 1_000


class MessageSerializer(serializers.ModelSerializer[Message]):
    """One row of the ledger."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    variant = serializers.CharField(source="variant.label", default=None, read_only=True, help_text="The label.")

    class Meta:
        model = Message
        fields = (
            "id", "campaign", "variant", "template", "contact", "email", "is_test", "status", "reason", "attempt_no",
            "due_at", "provider", "provider_message_id", "last_error_code", "created_at", "sent_at", "delivered_at",
            "first_opened_at", "first_clicked_at", "bounced_at", "bounce_type", "complained_at", "unsubscribed_at",
        )  # fmt: skip
        read_only_fields = fields


class MessageFilter(filters.FilterSet):
    """What the ledger can be filtered by."""

    status = filters.ChoiceFilter(choices=Message.Status.choices)
    reason = filters.CharFilter(max_length=200)
    variant = filters.CharFilter(field_name="variant__label", max_length=20)


class CampaignMessageViewSet(WorkspaceViewSet):
    """The ledger of one campaign."""

    queryset = Message.objects
    serializer_class = MessageSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "campaign.view"}
    filterset_class = MessageFilter
    search_fields = ("email_normalized", "=provider_message_id")
    sort_fields = frozenset({"id"})
    default_sort = "id"

    def get_queryset(self) -> Any:
        """Return the campaign's rows without its test sends."""
        if getattr(self, "swagger_fake_view", False):
            return Message.objects.none()
        return ledger.find_messages(campaign_selectors.get_campaign(self.workspace, self.kwargs["id"]))

    @extend_schema(tags=TAGS, summary="List a campaign's messages", operation_id="campaigns_messages")
    def list(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return ledger rows; `?status=in_doubt` lists every message nobody can be sure of."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(MessageSerializer(page, many=True).data)


class DoubtFilter(filters.FilterSet):
    """What the desk can be narrowed by."""

    campaign = filters.UUIDFilter(field_name="campaign_id")


class DoubtViewSet(WorkspaceViewSet):
    """Every message in doubt, of all campaigns and of none."""

    queryset = Message.objects
    serializer_class = MessageSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "campaign.view"}
    filterset_class = DoubtFilter
    search_fields = ("email_normalized",)
    sort_fields = frozenset({"id"})
    default_sort = "-id"

    def get_queryset(self) -> Any:
        """Return the workspace's rows in doubt."""
        if getattr(self, "swagger_fake_view", False):
            return Message.objects.none()
        return ledger.with_variant(ledger.find_in_doubt(self.workspace))

    @extend_schema(tags=TAGS, summary="List all messages in doubt", operation_id="messages_in_doubt")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return every message that nobody can be sure of, transactional ones included, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(MessageSerializer(page, many=True).data)


class SettleSerializer(serializers.Serializer[Any]):
    """A decision about messages in doubt."""

    verb = serializers.ChoiceField(choices=["mark-sent", "resend"])
    ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_IDS)


class SettledSerializer(serializers.Serializer[Any]):
    """What a decision did."""

    id = serializers.UUIDField(source="batch", help_text="Of the decision: a marking is undone with it.")
    changed = serializers.IntegerField(help_text="Messages that were settled.")
    left = serializers.IntegerField(help_text="Messages that had to be left as they are.")


class MessagesSettleView(WorkspaceView):
    """One decision about many messages."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "message.settle"}

    @extend_schema(
        tags=TAGS,
        summary="Settle messages in doubt",
        operation_id="messages_settle",
        request=SettleSerializer,
        responses=SettledSerializer,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Mark them as sent, which can be undone, or send them again, which readers may get twice. Audited.

        Ids that are unknown, or not in doubt any more, are passed over.
        """
        asked = SettleSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        keys = [bigint_from_uuid7(public_id) for public_id in asked.validated_data["ids"]]
        rows = Message.objects.for_workspace(self.workspace).filter(
            pk__in=[key for key in keys if 0 < key < 2**63], status=Message.Status.IN_DOUBT
        )
        verb = {"mark-sent": doubts.mark_sent, "resend": doubts.resend}[asked.validated_data["verb"]]
        return Response(SettledSerializer(verb(rows=rows, workspace=self.workspace, actor=self.actor)).data)


class SettlementUndoView(WorkspaceView):
    """Taking a marking back."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "message.settle"}

    @extend_schema(
        tags=TAGS,
        summary="Undo marking messages as sent",
        operation_id="messages_settle_undo",
        request=None,
        responses=SettledSerializer,
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Put what a decision marked as sent back in doubt; what is known to have arrived meanwhile stays sent."""
        settlement = ledger.get_settlement(self.workspace, id)
        return Response(SettledSerializer(doubts.undo_marking(settlement=settlement, actor=self.actor)).data)


class MessageDetailView(WorkspaceView):
    """One ledger row."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "campaign.view"}

    @extend_schema(tags=TAGS, summary="Read a message", operation_id="messages_retrieve", responses=MessageSerializer)
    def get(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one row: what became of one message to one contact."""
        return Response(MessageSerializer(ledger.get_message(self.workspace, id)).data)


class _Settle(WorkspaceView):
    permissions_by_action: ClassVar[dict[str, str]] = {"post": "message.settle"}

    def settle(self, verb: Callable[..., Message], message_id: Any) -> Response:
        """Do one verb to the message of the address."""
        message = verb(message=ledger.get_message(self.workspace, message_id), actor=self.actor)
        return Response(MessageSerializer(message).data, status=status.HTTP_202_ACCEPTED)


class MessageMarkSentView(_Settle):
    """It did arrive."""

    @extend_schema(
        tags=TAGS,
        summary="Mark a message in doubt as sent",
        operation_id="messages_mark_sent",
        request=None,
        responses={202: MessageSerializer},
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Settle the doubt; audited."""
        return self.settle(messages.mark_sent, id)


class MessageResendView(_Settle):
    """It did not arrive, or nobody knows."""

    @extend_schema(
        tags=TAGS,
        summary="Send a message in doubt, or a failed one, again",
        operation_id="messages_resend",
        request=None,
        responses={202: MessageSerializer},
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Send it again with the same Message-ID; the reader of one in doubt may get it twice. Audited."""
        return self.settle(messages.resend, id)
