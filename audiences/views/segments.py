"""Segments: the list, and a builder with a live count."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from audiences import services
from audiences.models import Contact, Segment
from audiences.segmentation import OPERATORS, campaign_names, fields_of
from audiences.selectors import (
    ContactFilter,
    count_contacts,
    count_segment,
    describe_many,
    explain_segment,
    list_names,
    preview_segment,
    with_status,
)
from audiences.services.described import Proposal, in_words, propose_rules
from pulsequill.core.errors import DomainError, Invalid

MAX_BODY = 64 * 1024


def _sentences(workspace: Any, segments: list[Segment]) -> list[str]:
    return describe_many([segment.rules for segment in segments], workspace_id=workspace.pk)


def builder_data(workspace: Any) -> dict[str, Any]:
    """Return what the builder's menus offer: subjects with their types, operators of each type, lists."""
    return {
        "fields": [
            {"key": field.key, "label": field.label, "type": field.type} for field in fields_of(workspace).values()
        ],
        "engagements": [
            {"key": "opened", "label": "Opened a mail"},
            {"key": "clicked", "label": "Clicked a link"},
            {"key": "sent", "label": "Was sent a mail"},
        ],
        "lists": [{"id": str(pk), "name": name} for pk, name in list_names(workspace).items()],
        "campaigns": [{"id": str(pk), "name": name} for pk, name in campaign_names(workspace).items()],
        "operators": {
            kind: [
                {
                    "name": name,
                    "words": operator.words,
                    "arity": operator.arity,
                    "value_type": operator.value_type or kind,
                }
                for name, operator in operators.items()
            ]
            for kind, operators in OPERATORS.items()
        },
    }


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body[: MAX_BODY + 1] or b"{}")
    except (ValueError, RecursionError) as error:
        raise Invalid("The request is not valid JSON.") from error
    if not isinstance(body, dict):
        raise Invalid("The request is not an object.")
    return body


class SegmentListPage(WorkspaceTemplatePage):
    """Saved questions; each count is asked for once its row is on the screen."""

    permission = "contact.view"
    nav = "segments"
    template_name = "audiences/segment_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the segments, each in plain English."""
        segments = list(Segment.objects.for_workspace(self.workspace).order_by("name"))
        rows = list(zip(segments, _sentences(self.workspace, segments), strict=True))
        return super().get_context_data(rows=rows, **kwargs)


class SegmentCountView(WorkspaceTemplatePage):
    """The number in one row of the list."""

    permission = "contact.view"
    template_name = "audiences/_segment_count.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the count."""
        segment = get_object_or_404(Segment.objects.for_workspace(self.workspace), pk=self.kwargs["segment_id"])
        return super().get_context_data(count=count_segment(segment), segment=segment, **kwargs)


class SegmentFormPage(WorkspaceTemplatePage):
    """The builder."""

    permission = "contact.view"
    permission_by_method: ClassVar[dict[str, str]] = {"POST": "contact.edit"}
    nav = "segments"
    template_name = "audiences/segment_form.html"

    def _segment(self) -> Segment | None:
        if "segment_id" not in self.kwargs:
            return None
        rows = Segment.objects.for_workspace(self.workspace).select_related("workspace")
        return get_object_or_404(rows, pk=self.kwargs["segment_id"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the segment, the menus, and what was typed when it was refused."""
        segment = self._segment()
        kwargs.setdefault("name", segment.name if segment else "")
        kwargs.setdefault("rules", segment.rules if segment else {"all": []})
        return super().get_context_data(segment=segment, builder=builder_data(self.workspace), **kwargs)

    def post(self, request: HttpRequest, segment_id: UUID | None = None) -> HttpResponseBase:  # noqa: ARG002
        """Save the question."""
        segment, name = self._segment(), request.POST.get("name", "")[:120].replace("\0", "")
        rules: Any = None
        try:
            rules = json.loads(request.POST.get("rules", "")[:MAX_BODY])
            if segment:
                services.update_segment(segment=segment, changes={"name": name, "rules": rules}, actor=self.user)
            else:
                segment = services.create_segment(workspace=self.workspace, name=name, rules=rules, actor=self.user)
        except (ValueError, RecursionError):
            context = self.get_context_data(name=name, problem="The rules could not be read.")
        except DomainError as error:
            context = self.get_context_data(name=name, rules=rules, problem=error.detail)
        else:
            messages.success(request, f"Saved {segment.name}.")
            return redirect("audiences:segment_list")
        return self.render_to_response(context, status=422)


class SegmentDeleteView(WorkspacePage):
    """Forgetting a question."""

    permission = "contact.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, segment_id: UUID) -> HttpResponseBase:
        """Delete it; the contacts stay."""
        rows = Segment.objects.for_workspace(self.workspace).select_related("workspace")
        segment = get_object_or_404(rows, pk=segment_id)
        services.delete_segment(segment=segment, actor=self.user)
        messages.success(request, f"Deleted {segment.name}.")
        return redirect("audiences:segment_list")


class _RulesView(WorkspacePage):
    """Answers the builder in JSON."""

    permission = "contact.view"
    http_method_names = ["post"]

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON answer for a checked body."""
        raise NotImplementedError

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Check the rules and answer; faults come back with their paths."""
        try:
            body = _json(request)
            services.check_rules(workspace=self.workspace, rules=body.get("rules"))
            return JsonResponse(self.answer(body))
        except DomainError as error:
            faults = [{"field": fault.field, "detail": fault.detail} for fault in error.errors]
            return JsonResponse({"detail": error.detail, "errors": faults}, status=error.status)


class SegmentDescribeView(WorkspacePage):
    """Rules for a sentence, shown in the builder. While a model is busy the builder asks again."""

    permission = "contact.view"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with a proposal, or 202 while a model works on it."""
        try:
            proposed = propose_rules(
                workspace=self.workspace,
                actor=self.user,
                text=_json(request).get("text", ""),
                may_ask_model=role_allows(self.membership.role, "draft.edit"),
                wait_s=0,
            )
        except DomainError as error:
            return JsonResponse({"detail": error.detail}, status=error.status)
        if isinstance(proposed, Proposal):
            return JsonResponse(in_words(proposed, self.workspace))
        return JsonResponse({"generation": str(proposed.pk), "status": proposed.status}, status=202)


class SegmentPreviewView(_RulesView):
    """How many contacts the rules hold, and ten of them."""

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Count and show a sample."""
        count, sample = preview_segment(body["rules"], workspace_id=self.workspace.pk)
        sentence = _sentences(self.workspace, [Segment(rules=body["rules"])])[0]
        return {
            "count": count.value,
            "estimated": count.is_estimate,
            "total": count_contacts(self.workspace, ContactFilter()).value,
            "sentence": sentence,
            "sample": [{"name": row.name, "email": row.email, "status": row.status} for row in with_status(sample)],
        }


class SegmentExplainView(_RulesView):
    """Which conditions one contact meets."""

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Judge every condition."""
        email = str(body.get("email", "")).strip().lower().replace("\0", "")
        contact = Contact.objects.for_workspace(self.workspace).filter(email_normalized=email).first()
        if contact is None:
            raise Invalid("There is no contact with this address.")
        return explain_segment(body["rules"], contact=contact).as_dict()
