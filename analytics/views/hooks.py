"""Where providers report: kept durably, answered, and counted later by the consumer."""

from __future__ import annotations

import json

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.models import Workspace
from analytics.ingest import bounce_mail, sendgrid
from campaigns.selectors.providers import get_sendgrid_keys
from campaigns.tokens import read_bounce_endpoint_token, read_sendgrid_endpoint_token
from pulsequill.core.event_log import append_durably
from pulsequill.core.signing import BadSignature

logger = structlog.get_logger(__name__)

#: What is taken of a mail that comes back; a bounce with the whole mail in it is smaller.
MOST_BYTES = 4 * 1024 * 1024


def _refuse(status: int, text: str) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")


@csrf_exempt
@require_POST
def sendgrid_events(request: HttpRequest, token: str) -> HttpResponse:
    """Take a batch of SendGrid's events; its signature is the only credential.

    The token in the address says whose messages the events may be about: events that name other workspaces' messages
    are kept as strays and change nothing. 401 without a signature, 403 with a wrong one, 400 when a signed body is no
    list of events.
    """
    try:
        workspace_id = read_sendgrid_endpoint_token(token)
    except BadSignature as error:
        raise Http404 from error
    if not Workspace.objects.filter(pk=workspace_id).exists():
        raise Http404
    signature = request.headers.get(sendgrid.SIGNATURE_HEADER, "")
    timestamp = request.headers.get(sendgrid.TIMESTAMP_HEADER, "")
    if not signature or not timestamp:
        return _refuse(401, "The signature is missing.")
    try:
        sendgrid.verify_any(
            public_keys=get_sendgrid_keys(workspace_id), signature=signature, timestamp=timestamp, body=request.body
        )
    except RequestDataTooBig:
        return _refuse(413, "The batch is too large.")
    except sendgrid.NotFromSendGrid as error:
        logger.warning("sendgrid_webhook_refused", reason=str(error), workspace=str(workspace_id))
        return _refuse(403, "The signature is wrong.")
    try:
        events = json.loads(request.body)
    except (ValueError, RecursionError):
        return _refuse(400, "Not JSON.")
    if not isinstance(events, list):
        return _refuse(400, "Not a list of events.")
    append_durably(sendgrid.to_lines(events, workspace_id=workspace_id))
    append_durably(sendgrid.to_strays(events, workspace_id=workspace_id), problem=sendgrid.NO_EVENT)
    return HttpResponse(status=204)


@csrf_exempt  # mail servers have no session to misuse; the token in the address is the proof
@require_POST
def bounce_mail_in(request: HttpRequest, token: str) -> HttpResponse:
    """Take one mail that came back to a return path, as the raw body; `?recipient=` says whom its envelope named.

    The token in the address says whose messages it may be about. 204 when it is kept, whatever it is; 400 when there is
    nothing, 413 when it is larger than any bounce.
    """
    try:
        workspace_id = read_bounce_endpoint_token(token)
    except BadSignature as error:
        raise Http404 from error
    if not Workspace.objects.filter(pk=workspace_id).exists():
        raise Http404
    try:
        raw = request.body
    except RequestDataTooBig:
        return _refuse(413, "The mail is too large.")
    if len(raw) > MOST_BYTES:
        return _refuse(413, "The mail is too large.")
    if not raw.strip():
        return _refuse(400, "There is no mail.")
    problem = bounce_mail.take_in(raw, workspace_id=workspace_id, recipient=request.GET.get("recipient", "")[:320])
    if problem:
        logger.info("bounce_mail_kept", reason=problem, workspace=str(workspace_id))
    return HttpResponse(status=204)
