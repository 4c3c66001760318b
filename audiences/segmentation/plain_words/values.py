"""The scanner: where a sentence is read, which names stand there, and which values."""

from __future__ import annotations

import re
from functools import cached_property

from audiences.segmentation.plain_words.vocabulary import COUNTRIES, MAILBOXES, Names, Vocabulary

MOST_WORDS = 6
_SPACE = re.compile(r"\s*")
_QUOTED = re.compile(r"\"(?P<plain>[^\"]{1,200})\"|“(?P<curly>[^”“]{1,200})”|'(?P<single>[^']{1,200})'(?!\w)")
_WORD = re.compile(r"[^\s,;()!?\"“”<>=]+")
#: A value without quotes ends before these.
_STOP = re.compile(
    r"(?:and|or|but|nor|who|whom|whose|that|which|with|without|having|has|have|had|are|were|is|was|did|do|does|not|never|no"
    r"|except|excluding|since|before|after|until|in|on|from|at|joined|subscribed|signed|registered|opened|clicked|received"
    r"|please|then|people|contacts|customers|subscribers|everyone|everybody|users|members|addresses|only)(?![\w-])",
    re.IGNORECASE,
)
_NEXT_VALUE = re.compile(
    r"(?:\s*,\s*(?:(?:or|and)\s+)?|\s+(?:or|and|nor)\s+)(?:(?:in|from)\s+)?(?:the\s+)?", re.IGNORECASE
)
_BEGINS_CONDITION = re.compile(
    r"(?:live|lives|living|based|located|active|inactive|engaged|unengaged|new|imported|added|created|named|called|older"
    r"|younger|spent|whoever|all|any|those|they|read|click|open|got|get|more|less|at least|over|under"
    r"|never|members?)(?![\w-])",
    re.IGNORECASE,
)
_FULL_STOP = re.compile(r"\.+$")


class Scanner:
    """One sentence and the names that it may use."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text = text
        self.vocabulary = vocabulary
        self._names = {
            "fields": Names(vocabulary.field_names),
            "lists": Names(vocabulary.list_names),
            "campaigns": Names(vocabulary.campaign_names),
        }

    #: How people call a mailbox, to what its addresses end with.
    mailbox_names = MAILBOXES

    @cached_property
    def mailboxes(self) -> re.Pattern[str]:
        """The pattern of mailboxes with a name."""
        from audiences.segmentation.plain_words.people import mailbox_pattern

        return mailbox_pattern(iter(MAILBOXES))

    def skip(self, position: int) -> int:
        """Return where the next word begins."""
        match = _SPACE.match(self.text, position)
        return match.end() if match else position

    def name_at(self, kind: str, position: int) -> tuple[str, int] | None:
        """Return what the name at a position stands for (a field's key, an id), and where it ends."""
        return self._names[kind].at(self.text, position)

    def values(self, position: int) -> tuple[list[str], int] | None:
        """Return the texts that begin at a position ("Berlin, Munich or Hamburg"), and where the last one ends."""
        first = self._value(position)
        if first is None:
            return None
        texts, end = [first[0]], first[1]
        while (more := _NEXT_VALUE.match(self.text, end)) and not self._is_condition(more.end()):
            following = self._value(more.end())
            if following is None or not self._goes_on(texts[0], more, following[0]):
                break
            texts.append(following[0])
            end = following[1]
        return list(dict.fromkeys(texts)), end

    def _goes_on(self, first: str, link: re.Match[str], following: str) -> bool:
        """Whether what follows is another value of the same kind, and not a new thought: "Germany and fond of jazz"."""
        is_name = not following[0].islower() or following.lower() in COUNTRIES
        return is_name or (first[0].islower() and "and" not in link[0].lower().split() and " " not in following)

    def _is_condition(self, position: int) -> bool:
        found = _STOP.match(self.text, position) or _BEGINS_CONDITION.match(self.text, position)
        return bool(found or self.name_at("fields", position) or self.mailboxes.match(self.text, position))

    def _value(self, position: int) -> tuple[str, int] | None:
        if quoted := _QUOTED.match(self.text, position):
            text = (quoted["plain"] or quoted["curly"] or quoted["single"]).strip()
            return (text, quoted.end()) if text else None
        words: list[str] = []
        end = position
        while len(words) < MOST_WORDS:
            start = self.skip(end)
            word = _WORD.match(self.text, start)
            if word is None or (start == end and words) or _STOP.match(self.text, start):
                break
            if words and self.name_at("fields", start):
                break
            words.append(word[0])
            end = word.end()
            if _FULL_STOP.search(word[0]):
                end -= len(_FULL_STOP.search(word[0])[0])  # type: ignore[index]
                words[-1] = _FULL_STOP.sub("", word[0])
                break
        text = " ".join(words)
        return (text, end) if text and len(text) <= 200 else None
