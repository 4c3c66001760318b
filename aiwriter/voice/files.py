"""Reading the files that people upload as samples: text, Markdown, HTML, saved mails and Word documents."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import PurePath
from xml.etree import ElementTree

from pulsequill.core.errors import FieldError, Invalid

MOST_BYTES = 2_000_000
MOST_XML = 5_000_000
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MARKDOWN = ((re.compile(r"^#{1,6}\s+|^>\s?", re.MULTILINE), ""), (re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),
             (re.compile(r"(\*\*|__|`)(\S[^\n]*?)\1"), r"\2"))  # fmt: skip
_QUOTED = re.compile(
    r"^>[^\n]*$|^-{2,}\s*(?:Original Message|Forwarded message|Ursprüngliche Nachricht).*\Z", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class ReadFile:
    """What a file says; `is_html` None leaves it to the cleaning to look for markup."""

    title: str
    text: str
    is_html: bool | None


def read_file(name: str, content: bytes) -> ReadFile:
    """Return the words of a file by the ending of its name.

    Raises:
        Invalid: too large, of another kind, or broken; the sentence says what to do.
    """
    ending = PurePath(name).suffix.lower()
    if ending == ".pdf":
        raise _refused("not_readable", "PDF files cannot be read here. Copy the text and paste it.")
    if ending not in _READERS:
        raise _refused("not_readable", f"“{name[:80]}”: use {', '.join(ENDINGS)}, or paste the text.")
    if len(content) > MOST_BYTES:
        raise _refused("too_large", f"“{name[:80]}” is larger than {MOST_BYTES // 1_000_000} MB.")
    return _READERS[ending](PurePath(name).stem[:200] or "File", content)


def _refused(code: str, text: str) -> Invalid:
    return Invalid(text, errors=[FieldError("files", code, text)])


def _decoded(title: str, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise _refused("not_readable", f"“{title}” is not a text file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _text(title: str, content: bytes) -> ReadFile:
    return ReadFile(title, _decoded(title, content), None)


def _markdown(title: str, content: bytes) -> ReadFile:
    text = _decoded(title, content)
    for pattern, plain in _MARKDOWN:
        text = pattern.sub(plain, text)
    return ReadFile(title, text, None)


def _html(title: str, content: bytes) -> ReadFile:
    return ReadFile(title, _decoded(title, content), True)


def _mail(title: str, content: bytes) -> ReadFile:
    """Read a saved mail: its HTML, where hidden words can be told apart, else its text without what it quotes."""
    try:
        mail = message_from_bytes(content, policy=policy.default)
        body = mail.get_body(("html", "plain"))
        if not isinstance(body, EmailMessage):
            raise _refused("not_readable", f"“{title}” holds no text.")
        text = str(body.get_content())
        subject = " ".join(str(mail.get("subject") or "").split())
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise _refused("not_readable", f"“{title}” is not a mail that can be read.") from error
    is_html = body.get_content_subtype() == "html"
    return ReadFile(subject[:200] or title, text if is_html else _QUOTED.sub("", text), is_html)


def _word(title: str, content: bytes) -> ReadFile:
    """Read the paragraphs of a Word document, without runs that are formatted as hidden."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive, archive.open("word/document.xml") as document:
            xml = document.read(MOST_XML + 1)
        if len(xml) > MOST_XML or b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
            raise _refused("too_large", f"“{title}” holds more text than a sample may, or is no Word document.")
        body = ElementTree.fromstring(xml)  # noqa: S314 - without a document type there are no entities to expand
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, RuntimeError, NotImplementedError, OSError) as error:
        raise _refused("not_readable", f"“{title}” is not a Word document that can be read.") from error
    return ReadFile(title, "\n\n".join(_word_paragraph(one) for one in body.iter(f"{_WORD}p")), False)


def _word_paragraph(paragraph: ElementTree.Element) -> str:
    runs = (run for run in paragraph.iter(f"{_WORD}r") if run.find(f"{_WORD}rPr/{_WORD}vanish") is None)
    return "".join(text.text or "" for run in runs for text in run.iter(f"{_WORD}t"))


_READERS: dict[str, Callable[[str, bytes], ReadFile]] = {
    ".txt": _text, ".md": _markdown, ".html": _html, ".htm": _html, ".eml": _mail, ".docx": _word,
}  # fmt: skip
ENDINGS = tuple(_READERS)
