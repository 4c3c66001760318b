"""`Idempotency-Key`: the same request asked twice happens once and is answered the same.

The answer is stored in the transaction that did the work, under an advisory lock on the key. So there is no "in
flight" row that a crash could leave behind: either work and answer are both committed, or neither is. Refusals are
not stored: a corrected request may reuse its key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from pulsequill.core import signing
from pulsequill.core.errors import Blocked, FieldError, Invalid, WrongState
from pulsequill.models import StoredAnswer

_Handler = TypeVar("_Handler", bound=Callable[..., Response])

KEPT_FOR = timedelta(hours=24)
MAX_KEY_LENGTH = 255
REPLAYED_HEADER = "Idempotency-Replayed"
_KEPT_HEADERS = ("Location", "ETag")
#: Marks a handler for the OpenAPI schema.
MARK = "takes_idempotency_key"

PARAMETER = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text of yours, up to 255 characters: the same request sent again is answered from memory (24 h).",
)


def _hash_parts(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _body_parts(request: Request) -> Iterable[bytes]:
    data = request.data
    if not isinstance(data, QueryDict):
        yield json.dumps(data, sort_keys=True).encode("utf-8", "surrogatepass")
        return
    for name in sorted(data):
        yield name.encode("utf-8", "surrogatepass")
        for value in data.getlist(name):
            if isinstance(value, UploadedFile):
                yield (value.name or "").encode("utf-8", "surrogatepass")
                yield from value.chunks()
                value.seek(0)
            else:
                yield str(value).encode("utf-8", "surrogatepass")


def _key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and (not 0 < len(key) <= MAX_KEY_LENGTH or not key.isascii() or not key.isprintable()):
        detail = f"must be 1 to {MAX_KEY_LENGTH} printable ASCII characters."
        raise Invalid(f"Idempotency-Key: {detail}", errors=[FieldError("Idempotency-Key", "invalid", detail)])
    return key


def _lock(scope: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int(scope[:15], 16)])
        return bool(cursor.fetchone()[0])


def _replay(stored: StoredAnswer) -> Response:
    text = signing.decrypt(bytes(stored.body_encrypted))
    headers = {**stored.headers, REPLAYED_HEADER: "true"}
    return Response(json.loads(text) if text else None, status=stored.status, headers=headers)


def _store(scope: str, body_hash: str, response: Response) -> None:
    text = JSONRenderer().render(response.data).decode() if response.data is not None else ""
    StoredAnswer.objects.create(
        scope=scope,
        body_hash=body_hash,
        status=response.status_code,
        headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
        body_encrypted=signing.encrypt(text),
    )


def idempotent(handler: _Handler) -> _Handler:
    """Let a POST handler of a `/v1` view honour `Idempotency-Key`.

    The handler runs inside one transaction. Only a 2xx answer is kept, for `KEPT_FOR`.

    Raises (from the decorated handler):
        Blocked: `idempotency_mismatch`, the key was used with another body (422).
        WrongState: `in_flight`, the first request has not finished (409).
        Invalid: the key itself is not usable.
    """

    @wraps(handler)
    def answered(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = _key(request)
        if key is None:
            return handler(view, request, *args, **kwargs)
        body_hash = _hash_parts(_body_parts(request))
        workspace = getattr(view, "workspace", None)
        owner = workspace.pk if workspace is not None else getattr(request.user, "pk", None) or "visitor"
        scope = _hash_parts(part.encode() for part in (str(owner), request.method or "", request.path, key))
        with transaction.atomic():
            if not _lock(scope):
                raise WrongState("The first request with this Idempotency-Key is still running.", code="in_flight")
            stored = StoredAnswer.objects.filter(scope=scope).first()
            if stored is not None and stored.created_at < timezone.now() - KEPT_FOR:
                stored.delete()
                stored = None
            if stored is not None:
                if stored.body_hash != body_hash:
                    raise Blocked("This Idempotency-Key was used with another body.", code="idempotency_mismatch")
                return _replay(stored)
            response = handler(view, request, *args, **kwargs)
            if 200 <= response.status_code < 300:
                _store(scope, body_hash, response)
        return response

    setattr(answered, MARK, True)
    return cast("_Handler", answered)


def forget_old_answers() -> int:
    """Delete answers older than `KEPT_FOR`; returns how many."""
    deleted, _ = StoredAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    return deleted
