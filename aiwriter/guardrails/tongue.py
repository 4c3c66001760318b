"""Language as asked, and nothing that was written before."""

from __future__ import annotations

from collections.abc import Iterator

from aiwriter.guardrails.findings import CheckedDraft, Finding, remark
from aiwriter.guardrails.languages import other_language
from aiwriter.retrieval.embedders import LexicalEmbedder

#: Cosine of the lexical vectors from which two mails are the same mail.
SAME_MAIL = 0.95
LANGUAGE_NAMES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "he": "Hebrew", "it": "Italian",
    "ja": "Japanese", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "sv": "Swedish", "tr": "Turkish",
}  # fmt: skip


def check_language(draft: CheckedDraft) -> Iterator[Finding]:
    """A mail, or a paragraph of it, in another language than the brief asks for."""
    if code := other_language(draft.all_text(), draft.language):
        name, asked = LANGUAGE_NAMES.get(code, code), LANGUAGE_NAMES.get(draft.language.split("-")[0], draft.language)
        yield remark("language_other", f"This is {name}; the brief asks for {asked}.", "blocks")
        return
    for piece in draft.body:
        if code := other_language(piece.text, draft.language):
            yield remark("language_mixed", f"This paragraph is {LANGUAGE_NAMES.get(code, code)}.", piece.where)


def check_similarity(draft: CheckedDraft) -> Iterator[Finding]:
    """A mail that says the same as an earlier one, in nearly the same words."""
    if not draft.earlier:
        return
    embedder = LexicalEmbedder()
    own, *others = embedder.embed([draft.all_text(), *draft.earlier], workspace_id=None, generation_id=None)
    nearest = max(sum(a * b for a, b in zip(own, other, strict=True)) for other in others)
    if nearest >= SAME_MAIL:
        yield remark("too_similar", f"{nearest:.0%} like a mail that was accepted before.", "blocks")
