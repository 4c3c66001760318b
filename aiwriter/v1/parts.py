"""`/v1/ai/briefs/propose`, and making drafts of parts: mixing, writing one part anew, bringing a part back."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceRelatedField
from aiwriter.models import BrandVoice, Draft, Generation
from aiwriter.selectors import generation_json
from aiwriter.services.mixing import LONGEST_WISH, MOST_BLOCKS, mix_drafts, regenerate_part, restore_part
from aiwriter.services.proposing import propose_brief
from aiwriter.v1.drafts import TAGS, GenerationView
from aiwriter.v1.serializers import GenerationSerializer
from pulsequill.core.errors import NotFound
from pulsequill.core.rest.idempotency import idempotent


class ProposeSerializer(serializers.Serializer[Any]):
    """One sentence."""

    goal = serializers.CharField(max_length=1000, help_text="What the mail should achieve, in your own words.")
    brand_voice = WorkspaceRelatedField(queryset=BrandVoice.objects, required=False, allow_null=True)


class BlockChoiceSerializer(serializers.Serializer[Any]):
    """One block of one draft."""

    draft = serializers.UUIDField()
    block = serializers.CharField(max_length=40, help_text="The block's id.")


class MixSerializer(serializers.Serializer[Any]):
    """Where each part comes from."""

    subject = serializers.UUIDField(help_text="The draft whose subject is taken.")
    preview_text = serializers.UUIDField(help_text="The draft whose preview text is taken.")
    # The length goes to the list that `many` makes; the stubs do not know.
    blocks = BlockChoiceSerializer(many=True, allow_empty=False, max_length=MOST_BLOCKS)  # type: ignore[call-arg]


class RegenerateSerializer(serializers.Serializer[Any]):
    """Which part of which draft."""

    draft = serializers.UUIDField()
    part = serializers.CharField(max_length=40, help_text="`subject`, `preview_text` or the id of a block.")
    wish = serializers.CharField(max_length=LONGEST_WISH, required=False, allow_blank=True)


class RestoreSerializer(serializers.Serializer[Any]):
    """Which draft."""

    draft = serializers.UUIDField()


class ProposeView(GenerationView):
    """Ask for a proposed brief."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "draft.edit"}

    @extend_schema(
        tags=TAGS,
        summary="Propose a brief",
        operation_id="ai_briefs_propose",
        request=ProposeSerializer,
        responses={202: GenerationSerializer},
        examples=[
            OpenApiExample(
                "One sentence",
                value={"goal": "Tell our subscribers that the harvest roast is back, free shipping until Sunday"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Propose the other fields of a brief from one sentence; they arrive in `result.proposed`.

        A proposal says nothing that neither the sentence nor the brand's facts say; what was held back stands in
        `result.left_out`. Without a model rules read English sentences.
        """
        given = ProposeSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return self.accepted(propose_brief(workspace=self.workspace, actor=self.actor, **given.validated_data))


class _PartsView(GenerationView):
    permissions_by_action: ClassVar[dict[str, str]] = {"post": "draft.edit"}

    def draft_of(self, generation_id: Any, draft_id: Any) -> Draft:
        """Return a draft of a generation of this workspace, or refuse with 404."""
        generation = self.generation(generation_id)
        draft = next((each for each in generation.ordered_drafts if each.pk == draft_id), None)
        if draft is None:
            raise NotFound
        draft.generation = generation
        return draft

    def fresh(self, generation: Generation) -> dict[str, Any]:
        """Return the generation as it is now."""
        return generation_json(self.generation(generation.pk))


class MixView(_PartsView):
    """Mix drafts."""

    @extend_schema(
        tags=TAGS,
        summary="Mix drafts",
        operation_id="ai_drafts_mix",
        request=MixSerializer,
        responses={201: GenerationSerializer},
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Make a new draft of parts of others of this generation; it is checked as every draft is."""
        given = MixSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        mixed = mix_drafts(generation=self.generation(id), actor=self.actor, **given.validated_data)
        return Response(self.fresh(mixed.generation), status=status.HTTP_201_CREATED)


class RegenerateView(_PartsView):
    """Write one part anew."""

    @extend_schema(
        tags=TAGS,
        summary="Write one part of a draft anew",
        operation_id="ai_drafts_regenerate",
        request=RegenerateSerializer,
        responses={202: GenerationSerializer},
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Answer a generation of its own; when it has succeeded the part stands in the draft, checked anew.

        `result` has the part `before` and `after`; the part before can be brought back.
        """
        given = RegenerateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        draft = self.draft_of(id, values.pop("draft"))
        return self.accepted(regenerate_part(draft=draft, actor=self.actor, **values))


class RestoreView(_PartsView):
    """Bring a part back."""

    @extend_schema(
        tags=TAGS,
        summary="Bring back the part before",
        operation_id="ai_drafts_restore",
        request=RestoreSerializer,
        responses=GenerationSerializer,
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Undo the last part that was written anew; 409 when there is none."""
        given = RestoreSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        draft = self.draft_of(id, given.validated_data["draft"])
        restore_part(draft=draft, actor=self.actor)
        return Response(self.fresh(draft.generation))
