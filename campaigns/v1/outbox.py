"""`/outbox.json`: the captured mail for programs, with the authentication of `/v1`."""

from __future__ import annotations

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from campaigns.delivery.captured import body_of, parse
from campaigns.models import CapturedMessage


class CapturedMessageSerializer(serializers.ModelSerializer[CapturedMessage]):
    """A captured mail, taken apart."""

    id = serializers.CharField(read_only=True)
    headers = serializers.DictField(child=serializers.CharField(), read_only=True)
    html = serializers.CharField(read_only=True)
    text = serializers.CharField(read_only=True)

    class Meta:
        model = CapturedMessage
        fields = ("id", "campaign", "to", "subject", "headers", "html", "text", "created_at")
        read_only_fields = fields

    def to_representation(self, instance: CapturedMessage) -> dict[str, Any]:
        """Parse the stored bytes: what is shown is what would have been sent."""
        mail = parse(bytes(instance.raw))
        instance.headers = {name: str(value) for name, value in mail.items()}  # type: ignore[attr-defined]
        instance.html, instance.text = body_of(mail, "html"), body_of(mail, "plain")  # type: ignore[attr-defined]
        return super().to_representation(instance)


class OutboxFilter(filters.FilterSet):
    """What the outbox can be filtered by."""

    campaign = filters.UUIDFilter(field_name="campaign_id")
    to = filters.CharFilter(lookup_expr="iexact", max_length=254)


class OutboxViewSet(WorkspaceViewSet):
    """The capture provider's mailbox."""

    queryset = CapturedMessage.objects
    serializer_class = CapturedMessageSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "outbox.view"}
    filterset_class = OutboxFilter
    search_fields = ("to", "subject")
    sort_fields = frozenset({"id"})
    default_sort = "-id"

    @extend_schema(tags=["outbox"], summary="List captured mail", operation_id="outbox_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return captured mail, the newest first; `?campaign=<id>` keeps one campaign's."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(CapturedMessageSerializer(page, many=True).data)
