"""`/v1/imports`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from audiences import services
from audiences.exporting import rejects_csv
from audiences.importing import MAX_BYTES
from audiences.models import ContactImport
from audiences.v1.serializers import ImportSerializer, ImportUploadSerializer
from pulsequill.core.csv_file import csv_response
from pulsequill.core.rest.idempotency import idempotent
from pulsequill.core.rest.parsers import TooLarge

TAGS = ["imports"]


class CSVRenderer(BaseRenderer):
    """Lets `Accept: text/csv` through; the body is streamed by the handler itself."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> Any:
        """Return a refusal as JSON: the only thing that is ever rendered here."""
        return JSONRenderer().render(data, accepted_media_type, renderer_context)


class ImportViewSet(WorkspaceViewSet):
    """Files on their way into the audience."""

    queryset = ContactImport.objects
    serializer_class = ImportSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "import.view",
        "retrieve": "import.view",
        "create": "import.edit",
        "rejects": "import.view",
        "cancel": "import.edit",
        "undo": "import.edit",
    }
    filter_fields: ClassVar[dict[str, list[str]]] = {"status": ["exact", "in"], "list": ["exact"]}
    sort_fields = frozenset({"created_at"})

    @extend_schema(tags=TAGS, summary="List imports", operation_id="imports_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return imports, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        tags=TAGS,
        summary="Import a CSV file",
        operation_id="imports_create",
        request={"multipart/form-data": ImportUploadSerializer},
        responses={202: ImportSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Upload a file and start; poll the answer's `id`, or watch `/ws/workspace`."""
        given = ImportUploadSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values = given.validated_data
        if values["file"].size > MAX_BYTES:
            raise TooLarge(f"The file is larger than {MAX_BYTES // 1024**2} MB.")
        contact_import = services.start_import(
            workspace=self.workspace,
            file=values["file"],
            list_=values.get("list"),
            mapping=values.get("mapping"),
            update_existing=values["update_existing"],
            consent_source=values["consent_source"],
            actor=self.actor,
        )
        return Response(self.get_serializer(contact_import).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(tags=TAGS, summary="Read an import", operation_id="imports_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return an import and how far it is."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        tags=TAGS,
        summary="Download rejected rows",
        operation_id="imports_rejects",
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)},
    )
    def rejects(self, request: Request, id: Any) -> StreamingHttpResponse:  # noqa: A002, ARG002
        """Return the rows that were not taken, as CSV: row number, reason, the cells."""
        contact_import = self.get_object()
        return csv_response(rejects_csv(contact_import), f"rejects-{contact_import.pk}.csv")

    @extend_schema(
        tags=TAGS,
        summary="Cancel an import",
        operation_id="imports_cancel",
        request=None,
        responses={202: ImportSerializer},
    )
    def cancel(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Stop after the chunk under way; what is stored stays."""
        contact_import = services.cancel_import(contact_import=self.get_object(), actor=self.actor)
        return Response(self.get_serializer(contact_import).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        tags=TAGS,
        summary="Undo an import",
        operation_id="imports_undo",
        request=None,
        responses={202: ImportSerializer},
    )
    def undo(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Remove the import's subscriptions, and the contacts that it created and nobody mailed."""
        contact_import = services.undo_import(contact_import=self.get_object(), actor=self.actor)
        return Response(self.get_serializer(contact_import).data, status=status.HTTP_202_ACCEPTED)


class ImportUploadViewSet(ImportViewSet):
    """`/v1/imports` itself: POST takes a multipart form."""

    parser_classes = (MultiPartParser,)


class ImportRejectsViewSet(ImportViewSet):
    """`/v1/imports/{id}/rejects.csv`: answers in CSV."""

    renderer_classes = (CSVRenderer, JSONRenderer)
