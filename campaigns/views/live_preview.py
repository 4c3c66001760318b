"""A mail as one contact would see it, shown while it is being written: content comes with the request, unsaved."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.views.access import WorkspacePage
from audiences.models import Contact
from campaigns.content.dark_preview import LOOKS
from campaigns.content.preview import render_preview
from campaigns.models import Variant
from campaigns.views.json_input import parse_object, read_json
from pulsequill.core.errors import DomainError, FieldError, Invalid

#: The mail in the frame may show pictures and its own styles, and nothing else: no scripts, forms or requests.
FRAME_POLICY = (
    f"default-src 'none'; img-src https: data: {settings.PUBLIC_URL}; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_TEXTS = ("subject", "preview_text", "format")


def framed(html: str, *, status: int = 200) -> HttpResponse:
    """Return a mail (or a sentence in its place) for a sandboxed frame, under its own strict policy."""
    return HttpResponse(
        html,
        status=status,
        headers={
            "Content-Security-Policy": FRAME_POLICY,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )


def explained(detail: str) -> str:
    """Return a page that says why there is no mail to see."""
    return format_html(
        '<!doctype html><html lang="en"><title>Preview</title><style>body{{font:15px/1.5 system-ui,sans-serif;'
        "padding:32px;color-scheme:light dark}}</style><body><p>{}</p></body></html>",
        detail,
    )


def problem(error: DomainError) -> JsonResponse:
    """Return a refusal as problem+json, as `/v1` has it."""
    errors = [{"field": one.field, "code": one.code, "detail": one.detail} for one in error.errors]
    body = {
        "title": error.title, "status": error.status, "detail": error.detail, "code": error.code, "errors": errors,
        **error.extra,
    }  # fmt: skip
    return JsonResponse(body, status=error.status, content_type="application/problem+json")


def with_content(variant: Variant, content: Any) -> Variant:
    """Return `variant`, unsaved, with the content that an editor sent.

    Raises:
        Invalid: it is not an object of subject, preview text, format and body.
    """
    if not isinstance(content, dict) or not all(isinstance(content.get(name), str) for name in _TEXTS):
        raise Invalid("The content needs a subject, a preview text, a format and a body.")
    if content["format"] not in Variant.Format.values:
        raise Invalid(f"A format is one of {', '.join(Variant.Format.values)}.")
    for name in (*_TEXTS, "body"):
        setattr(variant, name, content.get(name))
    return variant


@method_decorator(xframe_options_sameorigin, name="dispatch")
class LivePreview(WorkspacePage):
    """Base of the previews of what is being written.

    A POST of JSON `{content, contact, ...}` is answered with subject, preview text, plain text and size. The same
    fields posted as a form into a frame are answered with the mail itself; `look` is a name of `dark_preview.LOOKS`.
    """

    permission = "campaign.view"
    http_method_names = ["post"]

    def written(self, asked: dict[str, Any], **kwargs: Any) -> Variant:
        """Return what is edited at this address, as it is stored; `asked` is what the request said."""
        raise NotImplementedError

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Render the content for a contact."""
        is_json = request.content_type == "application/json"
        asked = read_json(request) if is_json else request.POST.dict()
        variant = self.written(asked, **kwargs)
        contact = self.contact(asked.get("contact"))
        content = asked.get("content") if is_json else parse_object(str(asked.get("content", "")).encode())
        mail = render_preview(variant=with_content(variant, content), contact=contact)
        if is_json:
            facts = ("subject", "preview_text", "text", "size_bytes")
            return JsonResponse({name: getattr(mail, name) for name in facts})
        look = LOOKS.get(str(asked.get("look", "")))
        if look is None:
            detail = f"A look is one of {', '.join(LOOKS)}."
            raise Invalid(detail, errors=[FieldError("look", "not_a_choice", detail)])
        return framed(look(mail.html))

    def contact(self, text: Any) -> Contact | None:
        """Return the contact to show the mail to; None when none is named."""
        if not text:
            return None
        try:
            wanted = UUID(str(text))
        except ValueError as error:
            raise Http404 from error
        found = Contact.objects.for_workspace(self.workspace).filter(pk=wanted).first()
        if found is None:
            raise Http404
        return found

    def refused(self, request: HttpRequest, error: DomainError) -> HttpResponseBase:
        """Answer the page's script, or say what is wrong where the mail would stand."""
        if request.content_type == "application/json":
            return problem(error)
        return framed(explained(error.detail), status=error.status)
