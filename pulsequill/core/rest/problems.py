"""Every refusal of `/v1` as `application/problem+json` (RFC 9457), with a stable code and the request id."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from pulsequill.core.error_views import DEPENDENCY_AWAY
from pulsequill.core.errors import DomainError

logger = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

#: Code -> what it means, where the status alone does not say it. Served at `/v1/problems`.
CODES: dict[str, str] = {
    "invalid": "The input breaks a rule; `errors` names each field.",
    "malformed": "The body is not what its Content-Type says, or not JSON that can be stored.",
    "not_authenticated": "No credentials came with the request.",
    "authentication_failed": "The credentials are wrong, expired or revoked.",
    "not_permitted": "The credentials are good, but their role or scope does not allow this.",
    "not_found": "It does not exist, or belongs to another workspace: the answer is the same.",
    "method_not_allowed": "This address does not take that method; `Allow` lists those it takes.",
    "not_acceptable": "None of the formats in `Accept` can be made.",
    "wrong_state": "The thing exists but is not in a state that allows this.",
    "wrong_shares": "A share is below 0, all are 0, or one is for a variant of another campaign.",
    "in_flight": "The first request with this Idempotency-Key is still running.",
    "stale": "`If-Match` names an older version than the one that is stored.",
    "too_large": "The body is larger than this address takes.",
    "unsupported_media_type": "The body's Content-Type is not one that this address reads.",
    "blocked": "A check refused: see the findings.",
    "idempotency_mismatch": "This Idempotency-Key was used with another body.",
    "throttled": "Too many requests; try again after `Retry-After` seconds.",
    "workspace_required": "You belong to several workspaces: name one in `X-Workspace`.",
    "unavailable": "Something this needs is away for the moment; try again after `Retry-After` seconds.",
    "server_error": "Our fault. It was logged under this request id.",
    # people and workspaces
    "registration_refused": "No account can be made with this; the owner of a taken address was told by mail.",
    "owner_only": "Only an owner may do this.",
    "last_owner": "A workspace keeps at least one owner: make somebody else one first.",
    "already_member": "This address belongs to a member of the workspace.",
    "already_invited": "Somebody else invited this address in the same moment.",
    "other_address": "The invitation was sent to another address than the one you signed in with.",
    "confirmation_needed": "Removing a workspace needs its slug as confirmation.",
    "too_many": "The workspace has as many of these as it may have; remove one first.",
    "switched_off": "The webhook is switched off.",
    "refused_address": "The address leads into a private network, or is not one that we call.",
    # the AI writer
    "ai_not_configured": "No AI provider is set up, and template drafts are switched off.",
    "budget_exceeded": "The workspace's AI budget of this month is used up.",
    "too_many_generations": "Too many drafts are being written already; wait for one to finish.",
    "guardrails": "The draft says what cannot be proved; `findings` tells what. A person may override it.",
    # the audience
    "contact_exists": "The workspace has a contact with this address.",
    "erased": "This person asked to be erased and cannot be added again.",
    "suppressed": "This address gets no mail.",
    "suppressed_by_the_person": "The person said no; only their own confirmed opt-in lifts that.",
    "name_taken": "Another one has this name.",
    "key_taken": "Another field has this key.",
    "too_many_fields": "The workspace has as many custom fields as it may have.",
    "not_understood": "Nothing in the sentence is something that a segment can ask; `detail` names the words.",
    "invalid_rules": "The segment's rules are not valid; `errors` names each place.",
    # writing mails
    "invalid_body": "The content is not valid; `errors` names each block.",
    "bad_mjml": "The MJML cannot be read.",
    "mjml_not_allowed": "The MJML has an element that mails may not use.",
    "bad_css": "The style sheet cannot be read.",
    "template_syntax": "A merge tag is not well formed; `line` and `column` say where.",
    "template_unclosed_tag": "A merge tag lacks its closing braces.",
    "template_unclosed_section": "A section is opened and not closed.",
    "template_raw_tag": "Three braces would put text into the mail unescaped: use two.",
    "template_reserved_name": "The merge tag's name belongs to PulseQuill.",
    "template_not_allowed": "Partials and other delimiters are not part of merge tags.",
    "template_too_many_tags": "There are more merge tags than one mail may have.",
    "template_too_large": "The source is larger than a mail may be.",
    "template_output_too_large": "The mail would be larger than one may be once its tags are filled.",
    "too_long": "The source is longer than is taken.",
    "not_a_mail": "The HTML has more tags, or more of them inside one another, than any mail.",
    "unknown_tag": "The template uses a merge tag for which there is no value.",
    "unsupported_picture": "The file is no picture of a kind that is taken.",
    "broken_picture": "The picture is damaged and cannot be read.",
    "too_many_pixels": "The picture has more pixels than are taken.",
    "quota": "The workspace's pictures take as much room as they may; delete some first.",
    "in_use": "It is used elsewhere; the sentence says where.",
    # sending
    "preflight_blocked": "Preflight found what must be put right first; `findings` lists it.",
    "no_sender": "There is no sender to send it from.",
    "not_configured": "Something is still missing in the settings of this provider.",
    "no_variants": "The campaign has no content.",
    "no_variant": "The message's variant does not exist any more.",
    "no_template": "The message's template does not exist any more.",
    "dkim_key_unreadable": "The sending domain's DKIM key cannot be read any more: make a new one on its page.",
    "domain_unverified": "The sender's domain is not verified, so nothing may be sent from it.",
    "header_injection": "A value that stands in a header has a line break.",
    "no_mail": "There is no captured mail yet.",
}

#: DRF's own codes -> ours.
_RENAMED = {"permission_denied": "not_permitted", "parse_error": "malformed", "error": "invalid"}


def problem(
    request: Any,
    *,
    status: int,
    code: str,
    detail: str,
    title: str | None = None,
    errors: list[dict[str, str]] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Return the body of a problem document; `extra` becomes extension members such as `findings`."""
    return {
        "type": f"{settings.PUBLIC_URL}/v1/problems#{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(request, "request_id", ""),
        "errors": errors or [],
        **extra,
    }


def _flatten(details: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Turn DRF's nested `{field: [{message, code}]}` into flat rows with dotted paths."""
    if isinstance(details, Mapping) and set(details) == {"message", "code"} and isinstance(details["code"], str):
        yield {"field": path, "code": str(details["code"]), "detail": str(details["message"])}
    elif isinstance(details, Mapping):
        for key, value in details.items():
            own = "" if key == "non_field_errors" else str(key)
            yield from _flatten(value, ".".join(part for part in (path, own) if part))
    else:
        is_leaf_list = all(isinstance(item, Mapping) and set(item) == {"message", "code"} for item in details)
        for index, item in enumerate(details):
            yield from _flatten(item, path if is_leaf_list else ".".join(p for p in (path, str(index)) if p))


class ProblemResponse(Response):
    """A problem document, whatever the view renders otherwise; the browsable API shows it inside its page."""

    @property
    def rendered_content(self) -> Any:
        """Render as problem JSON unless a person is looking."""
        if self.accepted_renderer.format != "api":
            self.accepted_renderer = JSONRenderer()
            self.content_type = CONTENT_TYPE
        return super().rendered_content


def _answer(request: Any, headers: dict[str, str] | None = None, **fields: Any) -> Response:
    body = problem(request, **fields)
    return ProblemResponse(body, status=body["status"], headers=headers)


def _validation(request: Any, rows: list[dict[str, str]]) -> Response:
    first = rows[0] if rows else {"field": "", "detail": "The input is not valid."}
    lead = f"{first['field']}: " if first["field"] else ""
    return _answer(request, status=400, code="invalid", detail=f"{lead}{first['detail']}", errors=rows)


def _domain(request: Any, error: DomainError) -> Response:
    retry_after_s = getattr(error, "retry_after_s", None)
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s else None
    return _answer(
        request,
        headers,
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        errors=[{"field": e.field, "code": e.code, "detail": e.detail} for e in error.errors],
        **error.extra,
    )


def _away(request: Any) -> Response:
    return _answer(
        request,
        {"Retry-After": str(RETRY_AFTER_S)},
        status=503,
        code="unavailable",
        detail="A service that this needs is away for the moment. Nothing was changed; try again shortly.",
    )


def _drf(request: Any, error: exceptions.APIException) -> Response:
    headers: dict[str, str] = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(math.ceil(getattr(error, "wait", None) or 1))
    code = str(error.get_codes() if isinstance(error.get_codes(), str) else error.default_code)
    return _answer(
        request,
        headers,
        status=error.status_code,
        code=_RENAMED.get(code, code),
        detail=str(error.detail),
    )


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Translate whatever a `/v1` view raised (DRF's `EXCEPTION_HANDLER`).

    Returns:
        The problem document; None for a bug of ours, which Django then logs and `server_error` answers.
    """
    request = context["request"]
    match exc:
        case DomainError():
            return _domain(request, exc)
        case exceptions.ValidationError():
            return _validation(request, list(_flatten(exc.get_full_details())))
        case ModelValidationError():
            return _validation(request, list(_flatten(_as_full_details(exc))))
        case exceptions.APIException():
            return _drf(request, exc)
        case Http404():
            return _answer(request, status=404, code="not_found", detail="There is nothing here.")
        case PermissionDenied():
            return _answer(request, status=403, code="not_permitted", detail=str(exc) or "You may not do this.")
        case RequestDataTooBig():
            return _answer(request, status=413, code="too_large", detail="The body is too large.")
        case TooManyFieldsSent() | TooManyFilesSent() | MultiPartParserError() | UnicodeError():
            return _answer(request, status=400, code="malformed", detail="The body cannot be read.")
        case DataError():
            logger.warning("value_refused_by_database", error=str(exc))
            return _answer(request, status=400, code="invalid", detail="A value is out of range.")
        case ProtectedError() | RestrictedError():
            return _answer(request, status=409, code="wrong_state", detail="Something else still uses this.")
    if isinstance(exc, DEPENDENCY_AWAY):
        logger.warning("dependency_away", error=str(exc))
        return _away(request)
    return None


def _as_full_details(error: ModelValidationError) -> Any:
    def rows(errors: list[ModelValidationError]) -> list[dict[str, str]]:
        return [{"message": m, "code": e.code or "invalid"} for e in errors for m in e.messages]

    if hasattr(error, "error_dict"):
        return {("non_field_errors" if f == "__all__" else f): rows(e) for f, e in error.error_dict.items()}
    return rows(error.error_list)


def problem_response(request: HttpRequest, *, headers: dict[str, str] | None = None, **fields: Any) -> HttpResponse:
    """Return a problem document from outside a DRF view: Django's error handlers and middleware."""
    body = problem(request, **fields)
    return JsonResponse(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)
