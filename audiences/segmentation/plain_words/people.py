"""What people did and where they are: opens, clicks, joining, lists, mailboxes, places."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audiences.segmentation.plain_words.found import Found, Node, all_of, any_of, negated
from audiences.segmentation.plain_words.times import When, read_when
from audiences.segmentation.plain_words.values import Scanner
from audiences.segmentation.plain_words.vocabulary import COUNTRIES, REGIONS

_AUX = r"(?:(?:have|has|had|having|did|do|does|were|was|are|is|been|be|who)\s+)*"
_NEG = r"(?:(?P<neg>not|never|neither|no longer)\s+)?"
_MAIL = r"(?:e-?mails?|mails?|messages?|newsletters?|campaigns?|mailings?)"
_DETERMINER = r"(?:(?:a|an|any|one|the|our|my|your|single|of|at least one|these|to|any of)\s+)*"
_DID = re.compile(
    rf"{_AUX}{_NEG}{_AUX}(?P<ever>ever\s+)?(?:last\s+)?(?P<verb>opened|opens?|opening|clicked|clicks?|clicking|received?"
    r"|receives|mailed|emailed|(?:been\s+)?sent|active|engaged|inactive|unengaged|disengaged)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"(?:with\s+)?(?P<neg>no|without|zero)\s+(?:any\s+)?(?P<verb>opens?|clicks?)\b", re.IGNORECASE)
_OBJECT = re.compile(
    rf"(?:\s+(?:on|in|with|by))?\s+{_DETERMINER}(?:links?|{_MAIL}|anything|something|us|them|it)\b"
    rf"(?:\s+(?:in|from|of|on|by)\s+{_DETERMINER}(?:{_MAIL}|us)\b)*(?:\s+(?:from|by)\s+us\b)?",
    re.IGNORECASE,
)
_ONE_CAMPAIGN = re.compile(
    rf"(?:\s+(?:on|in|with))?\s+(?:a\s+link\s+in\s+)?(?:the|our|my)?\s*(?:(?P<last>last|latest|most recent|newest)\s+"
    rf"(?:e-?mail|mail|newsletter|campaign|mailing)\b|(?:{_MAIL}\s+)?(?:called\s+|named\s+)?[\"“]?)",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(rf"[\"”]?(?:\s+{_MAIL}\b)?", re.IGNORECASE)
_TWICE = re.compile(r"\s+(?:once|twice|(?:\w+\s+){0,3}times|often|more than once)\b", re.IGNORECASE)
#: Verb -> what the rules call it. The last ones stand for opens and clicks.
_VERBS = {"open": "opened", "clic": "clicked", "rece": "sent", "mail": "sent", "emai": "sent", "sent": "sent"}
_CAMPAIGN_OPS = {
    ("opened", False): "opened", ("opened", True): "did_not_open", ("clicked", False): "clicked",
    ("clicked", True): "did_not_click", ("sent", False): "was_sent", ("sent", True): "was_not_sent",
}  # fmt: skip


def read_engagement(scan: Scanner, start: int) -> Found | None:
    """Read "did not open our newsletter in the last 30 days"."""
    match = _DID.match(scan.text, start) or _COUNTED.match(scan.text, start)
    if match is None:
        return None
    verb, end = match["verb"].lower(), match.end()
    is_negative = match["neg"] is not None
    if verb in ("active", "engaged", "inactive", "unengaged", "disengaged"):
        return _activity(scan, end, is_negative=is_negative != (verb not in ("active", "engaged")))
    subject = _VERBS[verb.removeprefix("been ").strip()[:4]]
    if verb in ("receive", "received", "receives") and not _OBJECT.match(scan.text, end):
        return None
    if named := _campaign(scan, end):
        node: Node = {"campaign": named[0], "op": _CAMPAIGN_OPS[subject, is_negative]}
        return Found(node, named[1], verb=subject, is_negative=is_negative)
    if thing := _OBJECT.match(scan.text, end):
        end = thing.end()
    if how_often := _TWICE.match(scan.text, end):
        # "three times" cannot be asked: it is left to be named
        return Found(engagement(subject, is_negative, None), how_often.start(), verb=subject, is_negative=is_negative)
    when, end = _span_after(scan, end)
    is_ever = match.groupdict().get("ever") is not None or (match["neg"] or "").lower() == "never"
    return Found(
        engagement(subject, is_negative, when), end, verb=subject, is_negative=is_negative,
        is_open_ended=when is None and not is_ever, when=when,
    )  # fmt: skip


def engagement(subject: str, is_negative: bool, when: When | None) -> Node:
    """Return the condition for a verb and a span of days; without one it means ever or never."""
    if when is None:
        return {"engagement": subject, "op": "never" if is_negative else "ever"}
    is_long_ago = when.op == "not_in_last_days"
    rule: Node = {
        "engagement": subject,
        "op": "not_in_last_days" if is_negative or is_long_ago else "in_last_days",
        "value": when.value,
    }
    if is_long_ago and not is_negative:  # "opened more than a year ago" is said of people who did open
        return {"all": [{"engagement": subject, "op": "ever"}, rule]}
    return rule


def _activity(scan: Scanner, end: int, *, is_negative: bool) -> Found | None:
    when, after = _span_after(scan, end)
    if when is None:
        return None
    rules = [engagement(subject, is_negative, when) for subject in ("opened", "clicked")]
    return Found({"all" if is_negative else "any": rules}, after)


def _span_after(scan: Scanner, end: int) -> tuple[When | None, int]:
    """Return the days after a verb; moments on the calendar cannot be asked of opens and clicks."""
    found = read_when(scan.text, scan.skip(end), scan.vocabulary.today)
    if found and found[0].op in ("in_last_days", "not_in_last_days"):
        return found
    return None, end


def _campaign(scan: Scanner, end: int) -> tuple[str, int] | None:
    lead = _ONE_CAMPAIGN.match(scan.text, end)
    if lead is None:
        return None
    if lead["last"]:
        newest = next(iter(scan.vocabulary.campaigns), None)
        return (newest, lead.end()) if newest else None
    named = scan.name_at("campaigns", lead.end())
    if named is None:
        return None
    return named[0], _AFTER_NAME.match(scan.text, named[1]).end()  # type: ignore[union-attr]


_JOINED = re.compile(
    rf"{_AUX}{_NEG}{_AUX}(?P<verb>joined|joining|join|signed\s+up|sign(?:ed)?-?ups?|subscribed|registered|added|created"
    r"|imported|new(?:\s+(?:contacts?|subscribers?|people|customers?|members?|sign-?ups?|here))?"
    r"|became\s+(?:a\s+)?(?:contacts?|subscribers?|customers?|members?)|contacts?\s+since|customers?\s+since|came)"
    r"(?:\s+(?:us|to us|our lists?))?\s+",
    re.IGNORECASE,
)


def read_joined(scan: Scanner, start: int) -> Found | None:
    """Read "joined before 1 March 2026"."""
    match = _JOINED.match(scan.text, start)
    if match is None:
        return None
    position = match.end()
    if match["verb"].lower().endswith("since"):
        position = match.end() - len("since ")
    found = read_when(scan.text, position, scan.vocabulary.today)
    if found is None:
        return None
    node: Node = {"field": "created_at", "op": found[0].op, "value": found[0].value}
    return Found(negated(node) if match["neg"] else node, found[1])


_CAME_BY = re.compile(
    rf"{_AUX}{_NEG}{_AUX}(?:(?P<import>imported(?:\s+from\s+a\s+file)?|(?:came|added)\s+(?:from|by|through)\s+(?:an\s+)?import)"
    r"|(?:signed\s+up|came|joined|added)\s+(?:through|via|by|with|from|on)\s+(?:a\s+|the\s+|our\s+)?(?:sign-?up\s+)?"
    r"(?:(?P<form>form)|(?P<api>api))|added\s+(?P<manual>by\s+hand|manually))\b",
    re.IGNORECASE,
)


def read_source(scan: Scanner, start: int) -> Found | None:
    """Read "signed up through the form"."""
    match = _CAME_BY.match(scan.text, start)
    if match is None or "source" not in scan.vocabulary.fields:
        return None
    source = next(name for name in ("import", "form", "api", "manual") if match[name])
    return Found({"field": "source", "op": "is_not" if match["neg"] else "is", "value": source}, match.end())


_ON_LIST = re.compile(
    rf"{_AUX}{_NEG}{_AUX}(?:(?:on|in|subscribed\s+to|subscribers?\s+(?:of|to)|members?\s+of|signed\s+up\s+(?:for|to)|part\s+of"
    r"|belong(?:s|ing)?\s+to|gets?|getting|joined)\s+)(?:(?:the|our|my|lists?|both|either)\s+)*[\"“]?",
    re.IGNORECASE,
)
_LIST_TAIL = re.compile(r"[\"”]?(?:\s+(?:lists?|newsletters?|subscribers?|members?|readers?)\b)?", re.IGNORECASE)
_NEXT_NAME = re.compile(
    r"(?:\s*,\s*(?:(?P<and1>and)\s+|or\s+)?|\s+(?:(?P<and>and)|or|nor)\s+)(?:(?:on|the|our)\s+)*[\"“]?", re.IGNORECASE
)
_QUOTE = re.compile(r"(?:the\s+|list\s+)?[\"“]?", re.IGNORECASE)


def read_list(scan: Scanner, start: int) -> Found | None:
    """Read "on the Wholesale or the Club list", "Club subscribers", or the name of a list alone."""
    match = _ON_LIST.match(scan.text, start)
    first = scan.name_at("lists", match.end()) if match else None
    is_negative = first is not None and match is not None and match["neg"] is not None
    if first is None:
        lead = _QUOTE.match(scan.text, start)
        assert lead is not None
        first = scan.name_at("lists", lead.end())
        if first is None or not _stands_alone(scan, lead.end(), first[1]):
            return None
    ids, end, is_and = [first[0]], _tail(scan, first[1]), False
    while (more := _NEXT_NAME.match(scan.text, end)) and (named := scan.name_at("lists", more.end())):
        after = _tail(scan, named[1])
        if not (_stands_alone(scan, more.end(), named[1]) or after > named[1]):
            break
        is_and = is_and or bool(more["and"] or more["and1"])
        ids.append(named[0])
        end = after
    rules: list[Node] = [{"list": one, "op": "is_not_on" if is_negative else "is_on"} for one in dict.fromkeys(ids)]
    return Found(all_of(rules) if is_and or is_negative else any_of(rules), end)


def _tail(scan: Scanner, end: int) -> int:
    tail = _LIST_TAIL.match(scan.text, end)
    return tail.end() if tail else end


def _stands_alone(scan: Scanner, start: int, end: int) -> bool:
    """Whether a bare name is surely a list's: in quotes, of several words, or with "list" or "subscribers" after it."""
    is_quoted = start > 0 and scan.text[start - 1] in '"“'
    return is_quoted or " " in scan.text[start:end] or _tail(scan, end) > end


_BOX_LEAD = r"(?:(?:with|using|on|have|has|at|from|use|uses|whose\s+address\s+is)\s+)?(?:(?:a|an|the|their)\s+)?"
_BOX_TAIL = r"(?:\s+(?:e-?mail\s+)?(?:addresses|address|accounts?|users?|mailbox(?:es)?|domains?|people|e-?mails?)\b)?"
_DOMAIN = re.compile(rf"{_BOX_LEAD}@?(?P<domain>(?:[a-z0-9-]{{1,63}}\.)+[a-z]{{2,24}})\b{_BOX_TAIL}", re.IGNORECASE)
_ENDING = re.compile(
    rf"{_BOX_LEAD}(?P<ending>\.[a-z]{{2,24}}(?:\.[a-z]{{2,3}})?)\s+(?:e-?mail\s+)?(?:addresses|address|e-?mails?|domains?)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?P<address>[^\s@,;()\"“”<>]{1,64}@(?:[\w-]{1,63}\.)+\w{2,24})\b")


def mailbox_pattern(names: Iterator[str]) -> re.Pattern[str]:
    """Return the pattern of mailboxes that people call by name."""
    return re.compile(rf"{_BOX_LEAD}(?P<box>{'|'.join(names)})(?:\.com)?\b{_BOX_TAIL}", re.IGNORECASE)


def read_mailbox(scan: Scanner, start: int) -> Found | None:
    """Read "gmail addresses", "with an address at example.com", or one address."""
    if match := _ADDRESS.match(scan.text, start):
        return Found({"field": "email", "op": "is", "value": match["address"].lower()}, match.end())
    if match := scan.mailboxes.match(scan.text, start):
        return Found(
            {"field": "email", "op": "ends_with", "value": scan.mailbox_names[match["box"].lower()]}, match.end()
        )
    if match := _DOMAIN.match(scan.text, start):
        return Found({"field": "email", "op": "ends_with", "value": f"@{match['domain'].lower()}"}, match.end())
    if match := _ENDING.match(scan.text, start):
        return Found({"field": "email", "op": "ends_with", "value": match["ending"].lower()}, match.end())
    return None


_IN_PLACE = re.compile(
    rf"{_AUX}{_NEG}{_AUX}(?:(?:live|lives|living|based|located|resid(?:e|es|ing)|comes?|coming)\s+)?"
    r"(?:in|from|around|(?P<outside>outside(?:\s+of)?))\s+(?:the\s+)?",
    re.IGNORECASE,
)
_NO_PLACE = re.compile(
    r"(?:last|past|next|our|my|your|this|that|these|those|general|all|any|total|a|an|it|them|list|segment|order|touch|love|"
    r"line|app|store|person|common|need|contact|one|two|three|both|either|spring|summer|autumn|fall|winter|\d)(?![\w-])|\d",
    re.IGNORECASE,
)


def read_place(scan: Scanner, start: int) -> Found | None:
    """Read "in Germany or Austria"."""
    match = _IN_PLACE.match(scan.text, start)
    fields = scan.vocabulary.place_fields
    if match is None or not fields or _NO_PLACE.match(scan.text, match.end()):
        return None
    read = scan.values(match.end())
    if read is None:
        return None
    typed, end = read
    is_negative = (match["neg"] is not None) != (match["outside"] is not None)
    if any(name.lower() in REGIONS for name in typed) or any(len(name.split()) > 3 for name in typed):
        return None
    names = [COUNTRIES.get(name.lower(), name if name != name.lower() else name.title()) for name in typed]
    for one in fields:
        stored = [scan.vocabulary.spelling(one.key, name) for name in names]
        if all(stored):
            return _placed(one.key, [str(name) for name in stored], is_negative, end)
    countries = [one for one in fields if scan.vocabulary.is_country_field(one)]
    others = [one for one in fields if one not in countries]
    known = all(name.lower() in COUNTRIES for name in names)
    chosen = (countries if known else others) or ([] if known else countries)
    return _placed(chosen[0].key, names, is_negative, end) if chosen else None


def _placed(key: str, names: list[str], is_negative: bool, end: int) -> Found:
    rule: Node = {"field": key, "op": "is", "value": names[0]}
    if len(names) > 1:
        rule = {"field": key, "op": "in", "value": names}
    return Found(negated(rule) if is_negative else rule, end)
