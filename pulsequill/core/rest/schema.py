"""OpenAPI 3.1: what every operation has in common is added here once."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from pulsequill.core.rest import idempotency
from pulsequill.core.rest.problems import CONTENT_TYPE

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable, for programs. Listed at `/v1/problems`."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "Dotted path, such as `variants.0.subject`."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

#: Status -> sentence and example code, for the operations that it fits.
ERRORS: dict[int, tuple[str, str]] = {
    400: ("The input is not valid.", "invalid"),
    401: ("Credentials are missing or wrong.", "not_authenticated"),
    403: ("The role or scope does not allow this.", "not_permitted"),
    404: ("It does not exist, or is another workspace's.", "not_found"),
    409: ("The thing is not in a state that allows this.", "wrong_state"),
    413: ("The body is too large.", "too_large"),
    415: ("The body's Content-Type is not read here.", "unsupported_media_type"),
    422: ("A check refused, or the Idempotency-Key was used with another body.", "blocked"),
    429: ("Too many requests.", "throttled"),
    503: ("A dependency is away; see `Retry-After`.", "unavailable"),
}
_WITH_BODY = (413, 415)


class Schema(AutoSchema):
    """Adds error answers, the Idempotency-Key and a tag to every operation."""

    def _handler(self) -> Any:
        action = getattr(self.view, "action", None) or self.method.lower()
        return getattr(self.view, action, None)

    def get_tags(self) -> list[str]:
        """The first path segment after `/v1`, unless `@extend_schema(tags=...)` says otherwise."""
        return [self.path.removeprefix("/v1/").split("/")[0] or "v1"]

    def get_override_parameters(self) -> list[Any]:
        """Add `Idempotency-Key` where the handler honours it, and `X-Workspace` where a workspace is chosen."""
        found = list(super().get_override_parameters())
        if getattr(self._handler(), idempotency.MARK, False):
            found.append(idempotency.PARAMETER)
        return found

    def _errors(self) -> list[int]:
        has_body = self.method in ("POST", "PUT", "PATCH")
        statuses = [400, 429, 503]
        if not getattr(self.view, "is_public", False):
            statuses += [401, 403]
        if "{" in self.path:
            statuses.append(404)
        if has_body or self.method == "DELETE":
            statuses.append(409)
        if has_body:
            statuses += [*_WITH_BODY, 422]
        return sorted(statuses)

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        """Add the error answers to whatever the view documents."""
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if direction == "response":
            problem = ResolvedComponent(  # type: ignore[no-untyped-call]
                "Problem", ResolvedComponent.SCHEMA, schema=PROBLEM_SCHEMA, object="Problem"
            )
            self.registry.register_on_missing(problem)
            for status in self._errors():
                bodies.setdefault(str(status), _problem_answer(status, problem.ref))
        return bodies


def _problem_answer(status: int, schema: dict[str, str]) -> dict[str, Any]:
    sentence, code = ERRORS[status]
    value = {
        "type": f"/v1/problems#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "code": code,
        "request_id": "0197a1d2-7c55-7c3e-9d1f-1f2e3d4c5b6a",
        "errors": [],
    }
    content = {CONTENT_TYPE: {"schema": schema, "examples": {code: {"value": value}}}}
    return {"description": sentence, "content": content}
