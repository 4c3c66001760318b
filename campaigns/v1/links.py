"""`/v1/links/{id}`: where a link leads, also after its mail has left."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView
from campaigns.models import Link
from campaigns.selectors.links import get_link
from campaigns.services import links

TAGS = ["figures"]


class LinkAddressSerializer(serializers.ModelSerializer[Link]):
    """Where a link leads."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    campaign = serializers.UUIDField(source="variant.campaign_id", read_only=True)
    url = serializers.CharField(
        max_length=links.MOST_CHARACTERS,
        help_text="An http or https address; the link keeps its `utm_` parameters. Readers are led there within"
        " about a minute, from mails that have left as well.",
    )  # fmt: skip
    original_url = serializers.CharField(
        read_only=True, help_text="Where it led when the mail was written; empty as long as it leads there."
    )

    class Meta:
        model = Link
        fields = ("id", "campaign", "url", "original_url", "position", "created_at")
        read_only_fields = ("position", "created_at")


class LinkView(WorkspaceView):
    """One tracked link. Variants that share its address are changed with it."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "campaign.view", "patch": "campaign.send"}

    @extend_schema(tags=TAGS, summary="Read a link", operation_id="links_retrieve", responses=LinkAddressSerializer)
    def get(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return where it leads."""
        return Response(LinkAddressSerializer(get_link(self.workspace, id)).data)

    @extend_schema(
        tags=TAGS, summary="Point a link elsewhere", operation_id="links_partial_update",
        request=LinkAddressSerializer, responses=LinkAddressSerializer,
        examples=[OpenApiExample("Another page", value={"url": "https://shop.example/harvest"}, request_only=True)],
    )  # fmt: skip
    def patch(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Let it lead elsewhere; `original_url` sent back as `url` undoes that. 409 before the mail has left."""
        link = get_link(self.workspace, id)
        given = LinkAddressSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changed = links.repoint(link=link, url=given.validated_data["url"], actor=self.actor)
        return Response(LinkAddressSerializer(changed).data)
