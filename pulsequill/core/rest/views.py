"""The two endpoints that belong to the API itself."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pulsequill.core.errors import NotFound
from pulsequill.core.rest.problems import CODES


class ProblemList(APIView):
    """What every `code` of a problem document means: the address that `type` points to."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    is_public = True

    @extend_schema(
        tags=["meta"],
        summary="List problem codes",
        operation_id="problems_list",
        responses=inline_serializer(
            "ProblemCode", {"code": serializers.CharField(), "meaning": serializers.CharField()}, many=True
        ),
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """List the codes."""
        return Response([{"code": code, "meaning": meaning} for code, meaning in CODES.items()])


class Nothing(APIView):
    """Every address that is none: a problem document instead of an HTML page."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = (JSONRenderer,)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Refuse before anything is read.

        Raises:
            NotFound: always.
        """
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), "application/json"
        raise NotFound("There is nothing at this address.")
