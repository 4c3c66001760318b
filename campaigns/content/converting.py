"""Turning a body from one format into another, and saying what gets lost on the way.

Each step is exact about what it cannot carry over: the composer asks before anything is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from campaigns.content import article, mjml, mustache, text
from campaigns.content.blocks import Block, validate_blocks
from campaigns.content.brand import Brand
from campaigns.content.mjml_source import check_mjml
from campaigns.content.sanitising import clean_mail_html, without_control_characters
from campaigns.models import Variant
from pulsequill.core.errors import FieldError, Invalid

_NO_BLOCKS = "The mail can then only be edited as code."
_LOOK_STAYS = "Later changes of the brand’s colours will not reach it."
_PLAIN = "Layout, colours and buttons go: headings, texts, links and pictures stay."
_ONE_BLOCK = "It becomes one HTML block; style sheets of the page are left out."


@dataclass(frozen=True, slots=True)
class Converted:
    """The new body, and sentences about what it lost."""

    body: Any
    losses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Task:
    body: Any
    brand: Brand
    title: str

    @property
    def look(self) -> dict[str, Any]:
        """What MJML documents are made with; preview text and footer are added when the mail is compiled."""
        return {"brand": self.brand, "title": self.title, "preview_text": "", "has_footer": False}


def _as_html_block(markup: str) -> list[Block]:
    return validate_blocks([{"type": "html", "html": clean_mail_html(markup)}])


def _blocks_to_mjml(task: _Task) -> Converted:
    return Converted(mjml.blocks_to_mjml(task.body, **task.look), (_NO_BLOCKS, _LOOK_STAYS))


def _blocks_to_html(task: _Task) -> Converted:
    return Converted(mjml.mjml_to_html(mjml.blocks_to_mjml(task.body, **task.look)), (_NO_BLOCKS, _LOOK_STAYS))


def _blocks_to_markdown(task: _Task) -> Converted:
    return Converted(article.blocks_to_markdown(task.body), (_PLAIN,))


def _markdown_to_blocks(task: _Task) -> Converted:
    blocks, has_losses = article.markdown_to_blocks(task.body)
    return Converted(blocks, ("Tables and code become plain text.",) if has_losses else ())


def _markdown_to_mjml(task: _Task) -> Converted:
    return Converted(mjml.article_to_mjml(article.markdown_to_html(task.body), **task.look), (_LOOK_STAYS,))


def _markdown_to_html(task: _Task) -> Converted:
    return Converted(mjml.mjml_to_html(str(_markdown_to_mjml(task).body)), (_LOOK_STAYS,))


def _mjml_to_html(task: _Task) -> Converted:
    check_mjml(task.body)
    return Converted(mjml.mjml_to_html(task.body), ("HTML cannot be turned back into this MJML.",))


def _mjml_to_blocks(task: _Task) -> Converted:
    return Converted(_as_html_block(str(_mjml_to_html(task).body)), (_ONE_BLOCK,))


def _mjml_to_markdown(task: _Task) -> Converted:
    return Converted(text.html_to_text(str(_mjml_to_html(task).body)), (_PLAIN,))


def _html_to_blocks(task: _Task) -> Converted:
    return Converted(_as_html_block(task.body), (_ONE_BLOCK,))


def _html_to_mjml(task: _Task) -> Converted:
    return Converted(
        mjml.article_to_mjml(clean_mail_html(task.body), **task.look), ("Style sheets of the page are left out.",)
    )


def _html_to_markdown(task: _Task) -> Converted:
    return Converted(text.html_to_text(clean_mail_html(task.body)), (_PLAIN,))


_BLOCKS, _HTML, _MARKDOWN, _MJML = (
    Variant.Format.BLOCKS.value, Variant.Format.HTML.value, Variant.Format.MARKDOWN.value, Variant.Format.MJML.value,
)  # fmt: skip
_STEPS: dict[tuple[str, str], Callable[[_Task], Converted]] = {
    (_BLOCKS, _MJML): _blocks_to_mjml,
    (_BLOCKS, _HTML): _blocks_to_html,
    (_BLOCKS, _MARKDOWN): _blocks_to_markdown,
    (_MARKDOWN, _BLOCKS): _markdown_to_blocks,
    (_MARKDOWN, _MJML): _markdown_to_mjml,
    (_MARKDOWN, _HTML): _markdown_to_html,
    (_MJML, _HTML): _mjml_to_html,
    (_MJML, _BLOCKS): _mjml_to_blocks,
    (_MJML, _MARKDOWN): _mjml_to_markdown,
    (_HTML, _BLOCKS): _html_to_blocks,
    (_HTML, _MJML): _html_to_mjml,
    (_HTML, _MARKDOWN): _html_to_markdown,
}


def _read(body: Any, body_format: str) -> Any:
    if body_format == _BLOCKS:
        return validate_blocks(body)
    if not isinstance(body, str):
        raise Invalid("The body must be text.", errors=[FieldError("body", "not_text", "The body must be text.")])
    written = without_control_characters(body)
    mustache.validate(written, field="body")
    return written


def convert(body: Any, source: str, to: str, *, brand: Brand, title: str = "") -> Converted:
    """Return a body in another format.

    Args:
        body: blocks, or the source text of the other formats.
        source: the body's format.
        to: the wished format; the same one gives the body back.
        brand: the look that leaves the blocks with it.
        title: the subject, for the document's title.

    Raises:
        Invalid: the body is not valid in its own format, or there is no such format.
    """
    clean = _read(body, source)
    if source == to:
        return Converted(clean)
    if not clean:
        return Converted([] if to == _BLOCKS else "")
    step = _STEPS.get((source, to))
    if step is None:
        raise Invalid(
            f"There is no way from {source} to {to}.", errors=[FieldError("to", "not_a_choice", "No such format.")]
        )
    return step(_Task(clean, brand, title))
