"""`/v1/assets`: pictures that mails show."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from campaigns.content.pictures import MAX_BYTES
from campaigns.models import Asset
from campaigns.services import assets
from pulsequill.core.rest.idempotency import idempotent
from pulsequill.core.rest.parsers import TooLarge

TAGS = ["assets"]


class AssetSerializer(serializers.ModelSerializer[Asset]):
    """A picture. `url` is public and does not change."""

    url = serializers.URLField(read_only=True)
    alt = serializers.CharField(max_length=assets.ALT_LENGTH, required=False, allow_blank=True)

    class Meta:
        model = Asset
        fields = (
            "id", "url", "name", "alt", "content_type", "width", "height", "size_bytes", "sha256", "created_at",
            "updated_at",
        )  # fmt: skip
        read_only_fields = tuple(name for name in fields if name != "alt")


class AssetUploadSerializer(serializers.Serializer[Any]):
    """A picture, and what it shows."""

    file = serializers.FileField(help_text="PNG, JPEG, GIF or WebP, up to 10 MB and 25 million pixels.")
    alt = serializers.CharField(
        max_length=assets.ALT_LENGTH, required=False, allow_blank=True, default="", help_text="What the picture shows."
    )


class AssetViewSet(WorkspaceViewSet):
    """The workspace's pictures."""

    queryset = Asset.objects
    serializer_class = AssetSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "campaign.view",
        "retrieve": "campaign.view",
        "create": "campaign.edit",
        "partial_update": "campaign.edit",
        "destroy": "campaign.edit",
    }
    search_fields = ("name", "alt")
    filter_fields: ClassVar[dict[str, list[str]]] = {"content_type": ["exact"]}
    sort_fields = frozenset({"created_at", "name", "size_bytes"})

    @extend_schema(tags=TAGS, summary="List pictures", operation_id="assets_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the pictures, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        tags=TAGS,
        summary="Upload a picture",
        operation_id="assets_create",
        request={"multipart/form-data": AssetUploadSerializer},
        responses={201: AssetSerializer, 200: AssetSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Store a picture, written anew without metadata. A picture that is there already answers 200."""
        given = AssetUploadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data["file"]
        if file.size > MAX_BYTES:
            raise TooLarge(f"The picture is larger than {MAX_BYTES // 1024**2} MB.")
        asset, is_new = assets.add_asset(
            workspace=self.workspace, actor=self.actor, file=file, name=file.name, alt=given.validated_data["alt"]
        )
        return Response(
            self.get_serializer(asset).data,
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
            headers={"Location": f"/v1/assets/{asset.pk}"},
        )

    @extend_schema(tags=TAGS, summary="Read a picture's facts", operation_id="assets_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one picture's address, size and description."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        tags=TAGS,
        summary="Describe a picture",
        operation_id="assets_partial_update",
        examples=[OpenApiExample("What it shows", value={"alt": "A bag of beans on oak"}, request_only=True)],
    )
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Change `alt`; mails that show the picture keep their own wording."""
        asset = self.get_object()
        given = self.get_serializer(asset, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        if "alt" in given.validated_data:
            asset = assets.describe_asset(asset=asset, alt=given.validated_data["alt"])
        return Response(self.get_serializer(asset).data)

    @extend_schema(tags=TAGS, summary="Delete a picture", operation_id="assets_destroy")
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Delete a picture that nothing shows; 409 when a campaign, a template or the brand does."""
        assets.delete_asset(asset=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class AssetUploadViewSet(AssetViewSet):
    """`/v1/assets` itself: POST takes a multipart form."""

    parser_classes = (MultiPartParser,)
