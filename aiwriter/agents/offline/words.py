"""The words that the reader of briefs knows: verbs, readers, offers, dates. Data only."""

from __future__ import annotations

import re

_I = re.IGNORECASE

READER_NOUNS = (
    r"(?:subscribers?|customers?|readers?|members?|people|folks|fans|list|community|everyone|everybody|contacts?|"
    r"clients?|guests?|users?|them|shoppers|buyers|friends|donors?|supporters?|students?|parents|patients|followers|"
    r"audience|regulars|team|neighbours|neighbors|visitors|attendees|volunteers|partners|sign-?ups)"
)
#: "our wholesale clients in Bristol who have not ordered this year"
READERS = (
    r"(?:(?:all|every|each|both)\s+(?:of\s+)?)?(?:our|the|my|these|those|any|anyone)?\s*"
    rf"(?:(?!(?:that|about|we|it|is|are|to)\b)[\w'’-]+\s+){{0,3}}?{READER_NOUNS}\b"
    r"(?:\s+(?:in|from|near)\s+[A-Z][\w-]+)?(?:\s+on\s+(?:the|our)\s+(?:[\w-]+\s+)?list\b)?"
    r"(?:\s+(?:who|that\s+(?=have|has|had|bought|ordered|signed|joined|live|did|haven['’]t|never))\b(?:"
    r"[^,.;:]*?(?=\s+(?:that|about|what|how|why|when|where|reminding|telling|inviting|asking|thanking|offering)\b)|"
    r"[^,.;:]*?(?=\s+(?:for|with|by|to(?!\s+(?:the|our|a|an|my|us|their|your)\b))\b|\s*$)))?"
)

#: Words that make a sentence out of what stands before them, wherever they stand.
_ALWAYS = """
    is are was were isn't aren't wasn't weren't has have had hasn't haven't will won't can cannot can't may might
    must should would could does do did don't doesn't begins arrives arrived arrive launched opened started began ended
    closed returned comes came goes went gets got won reached becomes became celebrates celebrated moved changed
    switched saved extended added fixed updated finished sells sold costs includes needs takes tastes means makes
    deserves helps gives gave brings brought stays stayed sits goes works worked joins joined expires expired
    accepts delivers happens remains remain deserve include"""
VERBS = frozenset(_ALWAYS.split())
#: Third persons that are plural nouns as well; they count as verbs before one of the words of `VERB_FOLLOWERS`.
_EITHER = "starts ends opens closes launches returns lands moves turns ships runs offers leaves"
VERB_OR_NOUN = frozenset(_EITHER.split())
#: Base forms that count after a plural or a pronoun: "doors open at seven", "orders get free delivery".
_BASE_FORMS = (
    "go get come cost open close start begin end run ship return taste need take stay make move turn sell work leave"
    " save deliver accept expire land launch"
)
PLURAL_VERBS = frozenset(_BASE_FORMS.split())
VERB_FOLLOWERS = re.compile(
    r"(?:on|at|in|from|to|by|up|down|back|again|online|out|free|tomorrow|today|tonight|this|next|now|soon|early|late|"
    r"a|an|the|our|your|all|half|only|\d\S*|[£$€]\S*|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b",
    _I,
)
PRONOUN = re.compile(r"(?:we|you|they|it|there|i|he|she|that|this|everything)(?:['’]\w+)?\s", _I)
CONTRACTED = re.compile(r"(?:\b(?:we|you|they|it|there|i|he|she|that)['’](?:re|ve|ll|s|m|d))\b", _I)
NAME_IS = re.compile(r"(?<=\w)['’]s(?= (?:back|here|now|open|on|live|a|an|the)\b)")
DETERMINER = re.compile(r"(?:our|the|a|an|my|your|this|these|those|its|their|some|every|all|\d[\d.,]*)\b", _I)
#: What a reader can be asked to do; a phrase that begins so and has no subject is a request.
REQUEST_VERBS = (
    r"(?:book|buy|bring|check|choose|claim|come|confirm|contact|discover|donate|download|enjoy|explore|fill|find|follow|"
    r"get|give|grab|have|help|join|leave|let|look|meet|order|pick|pre-?order|read|register|renew|reply|reserve|return|"
    r"rsvp|save|see|send|share|shop|sign|start|stop|subscribe|switch|take|taste|tell|treat|try|update|upgrade|use|visit|"
    r"vote|watch|write)"
)
WH_CLAUSE = re.compile(r"(?:why|how|what|when|where|which|who|whether)\b(?!\s*\?)", _I)

OFFER = re.compile(
    r"\b(?:free(?! of\b)|complimentary|"
    r"gifts?(?! (?:cards?|boxe?s?|sets?|shop|guide|wrap\w*|ideas?|vouchers? for)\b)|"
    r"bonus|discounts?|sale price|save \d|"
    r"save [£$€]|half[- ]price|vouchers?|coupons?|two for one|\d\s?for\s?\d)\b|%\s*(?:off|discount|back|cheaper)|"
    r"\bpercent (?:off|discount)|[$€£]\s?\d+\s*(?:off|back)\b|\b(?:\d+|ten|twenty|thirty|fifty)\s*off\b|"
    r"\bcodes?\s+[A-Z0-9]{3,}\b|\bget (?:one|two|\d) free\b",
    _I,
)
#: An offer that is a sentence already, or an order to the reader.
OFFER_IMPERATIVE = re.compile(r"(?:get|take|save|use|enjoy|buy|order|bring|spend|book|come|join|try|claim|pick)\b", _I)
OFFER_CODE = re.compile(r"(?:the |with |with the )?(?:code|voucher code|coupon)\s+(?=[A-Z0-9]{3,}\b)", _I)
OFFER_GIVEN = re.compile(
    r"\bfree\b|complimentary|\bgift|bonus|discount|voucher|coupon|%|percent|\boff\b|\bback\b|two for one", _I
)
CODE = re.compile(r"\b(?=\w*\d)(?=\w*[A-Z])[A-Z0-9]{4,}\b")

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "April", "June", "July", "August", "September", "October", "November", "December")
#: March and May are verbs too; they are months next to a number.
MONTHS_BY_NUMBER = re.compile(r"\b(?:(?<=\d )|(?<=\dst )|(?<=\dnd )|(?<=\drd )|(?<=\dth ))(march|may)\b", _I)
_DAY = "|".join(DAYS)
_MONTH = "|".join((*MONTHS, "March", "May"))
_CLOCK = r"(?:\s+(?:at|from)\s+\d{1,2}(?:[:.]\d\d)?\s?(?:am|pm|a\.m\.|p\.m\.|o['’]clock)?(?!\d|\s?%))?"
WHEN = re.compile(
    rf"\b(?:(?:on|this|next|every|from)\s+)?(?:(?:{_DAY})s?(?:,?\s+\d{{1,2}}(?:st|nd|rd|th)?\s+(?:{_MONTH}))?|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:{_MONTH})|(?:{_MONTH})\s+\d{{1,2}}(?:st|nd|rd|th)?|tomorrow|tonight)\b{_CLOCK}"
)
DEADLINE = re.compile(
    r"(?:only\s+)?(?:until|till|by|before|through|starting|from|on|this|next|today|tomorrow|valid|all day|all week)\b",
    _I,
)
#: Bare names of things that a brand owns: "Summer sale" is "our summer sale" in a sentence.
OWNED = re.compile(
    r"\b(?:sales?|events?|collections?|menu|webinar|workshops?|course|class|classes|festival|party|programme|program|"
    r"updates?|offers?|deal|range|shop|store|tasting|tour|app|newsletter|catalogue|exhibition|concert|market|brunch)$",
    _I,
)
#: What no phrase may end in.
DANGLING = re.compile(
    r"\b(?:and|or|but|of|to|for|with|from|by|at|in|into|on|onto|about|the|a|an|our|your|my|that|which|who|because|so|"
    r"as|than|until|before|after|over|under|per|plus|is|are|was|were|has|have|will|can|not|new|very|every|this|these)$",
    _I,
)
EMOJI = re.compile(r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B50\u2B55\uFE0F\u200D]+")
#: Words that lose their capital inside a sentence; every other capital is taken for a name.
COMMON_FIRST = re.compile(
    r"(?:The|Our|A|An|My|Your|This|These|Those|We|You|It|They|He|She|Free|New|Join|Get|Take|Save|Come|Use|Its|There|All|"
    r"Every|Here|Now|First|Order|Bring|Buy|Last|Only|Spring|Summer|Autumn|Winter|Half|Two|Three|Why|How|What|When|Where|"
    r"Orders|Prices|Tickets|Doors|Places|Everything|Everyone|Some|Many|Today|Tonight|Tomorrow|Leave|Renew|Book|Try|"
    r"In|On|At|From|With|Did|Do|Are|Is|Half-price|Enjoy|Meet|See|Read|Would|Fresh|Handmade|Homemade|Local|Online|Weekly|"
    r"Monthly|Annual|Big|Great|Good|Best|Cold|Hot|Coffee|Tea|Bread|Sourdough|Wine|Beer|Cheese|Cooking|Baking|Gift|Garden|"
    r"Pottery|Yoga|Flash|Clearance|Limited|Early|Late|Thank|Welcome|What['’]s|Who|Which|If|After|Before|Until|Starting|"
    r"Delivery|Shipping|Customers|Members|Visit|Discover|Please|More|Most|Not|No|Grinders?|Because)(?:['’]\w+)?"
)
