"""Small facts about an English phrase: has it a verb, where may it be cut, how does it stand inside a sentence."""

from __future__ import annotations

import re

from aiwriter.agents.offline import words

_TOKEN = re.compile(r"[^\s,;:()“”\"]+")
_NO_SUBJECT = re.compile(r"(?:that|which|who|to|not)$", re.IGNORECASE)
_ADVERB_END = re.compile(r"(?:\s+(?:also|now|still|again|finally|only|just|soon|already|both|all))+$", re.IGNORECASE)
_CUT = re.compile(
    r"\s*[,;:(]\s*|\s+[–—-]\s+|\s+(?=(?:and|with|which|because|so|where|before|starting|in|on|at|for|from|but)\s)",
    re.IGNORECASE,
)
_AFTER_HEAD = re.compile(
    r"\s+(?:for|of|on|in|at|with|to|from|about|that|which|who|before|after|until|over|under|above|placed|made|all|this|next|every|only|per|left)\s",
    re.IGNORECASE,
)
_HOLDS_TOGETHER = re.compile(r"\b(?:between|both|either|from|when|if|whether|not only)\b[^,]*$", re.IGNORECASE)
#: "After eleven years on Harbour Street, ...": the sentence proper begins behind the comma.
INTRODUCTION = re.compile(
    r"(?:after|before|from|in|on|at|with|as|because|if|when|since|while|for|during|thanks to|starting)\s[^,]*,\s+",
    re.IGNORECASE,
)
_ASKS = re.compile(r"(?:would you|please)\s", re.IGNORECASE)
_PAIRS = (("(", ")"), ("“", "”"), ("„", "“"), ("«", "»"), ("[", "]"))


def upper_first(text: str) -> str:
    """Return the text with a capital first letter; the rest is left as it was written."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Return the text for the middle of a sentence; names and "I" keep their capital."""
    first = text.split(" ", 1)[0].rstrip(",;:")
    return text[:1].lower() + text[1:] if words.COMMON_FIRST.fullmatch(first) else text


def sentence(text: str) -> str:
    """Return the text as a sentence: capital first, closed by a mark."""
    text = upper_first(text.strip().rstrip(",;:"))
    return text if not text or text[-1] in ".!?…" or text.endswith(('."', ".”", "!”", "?”")) else f"{text}."


def find_verb(text: str) -> re.Match[str] | None:
    """Return the word that makes a sentence of the text, or nothing. Relative clauses do not count."""
    previous = ""
    for token in _TOKEN.finditer(text):
        word = token[0].lower().replace("’", "'")
        if token.start() and previous and _is_verb(text, token, word, previous):
            return token
        if words.CONTRACTED.match(token[0]) or words.NAME_IS.search(text[token.start() : token.end() + 6]):
            return token
        previous = token[0]
    return None


def _is_verb(text: str, token: re.Match[str], word: str, previous: str) -> bool:
    if _NO_SUBJECT.match(previous) or words.DETERMINER.fullmatch(previous) or previous.endswith("ly"):
        return False
    following = text[token.end() :].lstrip()
    if word in words.VERB_OR_NOUN:
        if not following:
            return len(text[: token.start()].split()) > 1
        return words.VERB_FOLLOWERS.match(following) is not None
    if word in words.PLURAL_VERBS:
        return bool(following) and is_plural(text[: token.start()].strip()) and not words.DANGLING.search(previous)
    return word in words.VERBS and token[0] != "May"


def is_clause(text: str) -> bool:
    """Return whether a text can stand as a sentence: it has a subject and a verb."""
    if words.PRONOUN.match(text):
        return len(text.split()) > 2 or words.CONTRACTED.match(text) is not None
    verb = find_verb(text)
    return verb is not None and (verb.start() > 0 or "'" in verb[0] or "’" in verb[0]) and _words(text, verb) <= 12


def _words(text: str, verb: re.Match[str]) -> int:
    return len(text[: verb.start()].split())


def is_request(text: str) -> bool:
    """Return whether a text asks the reader to do something: it begins with a verb and names no subject."""
    match = re.match(rf"{words.REQUEST_VERBS}\b(?!['’-])", text, re.IGNORECASE)
    if not match:
        return False
    following = _TOKEN.match(text[match.end() :].lstrip())
    return following is None or following[0].lower() not in words.VERBS


def subject_of(text: str) -> str:
    """Return who or what a sentence is about: what stands before its verb."""
    verb = find_verb(text)
    if verb is None or words.PRONOUN.match(text):
        return ""
    if "’" in verb[0] or "'" in verb[0]:
        return text[: verb.start()] + re.split("['’]", verb[0])[0]
    return _ADVERB_END.sub("", text[: verb.start()].strip(" ,"))


def is_plural(noun_phrase: str) -> bool:
    """Return whether a noun phrase takes "are"."""
    head = _AFTER_HEAD.split(noun_phrase, maxsplit=1)[0]
    is_many = re.search(r"[^s'’]s$", head) or re.search(r"\b(?:people|we|you|they)$", head, re.IGNORECASE)
    return (is_many is not None and not head.endswith((" us", " days"))) or " and " in head


def is_balanced(text: str) -> bool:
    """Return whether every bracket and quotation mark that opens is closed."""
    return all(text.count(left) == text.count(right) for left, right in _PAIRS) and text.count('"') % 2 == 0


def cut(text: str, limit: int) -> str:
    """Return the text if it fits; else its longest beginning that is whole by itself, or "" when there is none."""
    text = text.strip().rstrip(".,;: ")
    if len(text) <= limit:
        return text
    if (intro := INTRODUCTION.match(text)) and not is_clause(intro[0]):
        return cut(upper_first(text[intro.end() :]), limit)
    verb = None if is_request(text) or _ASKS.match(text) else find_verb(text)
    for match in reversed(list(_CUT.finditer(text))):
        head = text[: match.start()].rstrip(" ,;:–—-")
        is_whole = (
            match.start() <= limit
            and len(head) >= 12
            and len(head.split()) >= 4
            and is_balanced(head)
            and not words.DANGLING.search(head)
            and not _HOLDS_TOGETHER.search(head)
            and (verb is None or match.start() > verb.end() + 1)
        )
        if is_whole:
            return head
    return ""


def calm(text: str) -> str:
    """Return a text in capitals as a sentence, and days, months and "I" with their capital."""
    letters = [letter for letter in text if letter.isalpha()]
    if len(letters) > 8 and all(letter.isupper() for letter in letters):
        text = upper_first(" ".join(word if re.search(r"\d", word) else word.lower() for word in text.split()))
    for name in (*words.DAYS, *words.MONTHS):
        text = re.sub(rf"\b{name.lower()}(?=s?\b)", name, text)
    text = words.MONTHS_BY_NUMBER.sub(lambda match: match[1].capitalize(), text)
    return re.sub(r"\bi(?=['’\s])(?!\.)", "I", text)
