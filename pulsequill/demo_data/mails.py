"""What Northwind Coffee writes: the campaigns and templates of the demo, as blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pulsequill.demo_data.audience import CLUB, NEWSLETTER, WHOLESALE

SHOP = "https://northwind.example"
Block = dict[str, Any]


def heading(text: str, level: int = 1) -> Block:
    """A headline."""
    return {"type": "heading", "text": text, "level": level}


def text(*paragraphs: str) -> Block:
    """Paragraphs of inline HTML."""
    return {"type": "text", "html": "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)}


def button(label: str, path: str) -> Block:
    """A button into the shop."""
    return {"type": "button", "label": label, "url": f"{SHOP}{path}", "align": "left"}


def product(title: str, words: str, price: str, path: str, label: str = "Add to bag") -> Block:
    """A coffee on the shelf."""
    return {"type": "product", "title": title, "text": words, "price": price, "url": f"{SHOP}{path}", "label": label}


def quote(words: str, who: str) -> Block:
    """What a customer said."""
    return {"type": "quote", "html": f"<p>{words}</p>", "attribution": who}


DIVIDER: Block = {"type": "divider"}
GAP: Block = {"type": "spacer", "height": 24}
SOCIAL: Block = {
    "type": "social",
    "links": [
        {"network": "instagram", "url": f"{SHOP}/instagram"},
        {"network": "website", "url": SHOP},
    ],
}


def numbered(*blocks: Block) -> list[Block]:
    """Return a body: each block with its short id."""
    return [{"id": f"b{number}", **block} for number, block in enumerate(blocks, 1)]


@dataclass(frozen=True)
class Mail:
    """Subject, preview text and body of one variant."""

    subject: str
    preview_text: str
    blocks: list[Block]


@dataclass(frozen=True)
class SentCampaign:
    """A campaign of the past, and how its readers took it: shares of the delivered messages."""

    name: str
    days_ago: int
    hour: int
    lists: tuple[str, ...]
    variants: tuple[Mail, ...]
    open_share: float
    click_share: float  # of those who opened
    #: What the second variant does better or worse than the first, on clicks.
    lift: float = 1.0
    outcome: str = ""
    in_doubt: int = 0


HELLO = "{{#first_name}}Hello {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}}"

HARVEST = Mail(
    "The first boxes from Huila are here",
    "Red apple, panela and a very long finish. We roasted the first batch on Tuesday.",
    numbered(
        heading("The boat came in"),
        text(
            HELLO,
            "Eleven weeks after Doña Marleny closed the last bag on her patio in Huila, it stood on ours. We cut it open, "
            "brewed it before anybody had taken off a coat, and nobody said anything for a while.",
            "<strong>Red apple, panela, a finish that outlasts the washing-up.</strong> We roast it light, and only on "
            "Tuesdays.",
        ),
        product(
            "Huila, Finca El Mirador", "Washed Caturra, 1,780 m. 250 g, whole beans.", "€14.50", "/coffee/el-mirador"
        ),
        text("It suits {{favourite_roast}} drinkers who like to be surprised. There are 140 bags."),
        button("See the new coffee", "/coffee/el-mirador"),
        DIVIDER,
        SOCIAL,
    ),
)
BREW_GUIDE = Mail(
    "Four minutes to a better cup",
    "One change, no new gear: when to pour, and when to leave it alone.",
    numbered(
        heading("Leave it alone for thirty seconds"),
        text(
            HELLO,
            "Most bitter cups have the same story: the water went in all at once. Give the grounds twice their weight in "
            "water, then wait for half a minute. They swell, they sigh, and the rest of the pour runs evenly.",
        ),
        heading("The whole recipe", 2),
        {
            "type": "text",
            "html": "<ol><li>18 g of coffee, ground like sea salt</li><li>40 g of water at 94 °C, wait 30 seconds</li>"
            "<li>Pour to 300 g in slow circles, done by 2:15</li><li>Drink at four minutes, when it tastes of "
            "something</li></ol>",
        },
        button("Watch it in two minutes", "/guides/pour-over"),
        quote("I have made coffee for twenty years and I had never waited.", "Ingrid, Bergen"),
    ),
)
CLUB_DROP = Mail(
    "Your club bag ships on Thursday",
    "Kenya Gatomboya: blackcurrant, tomato leaf, and a small letter from the mill.",
    numbered(
        heading("This month: Gatomboya"),
        text(
            HELLO,
            "Your bag for this month is an AA lot from the Gatomboya mill in Nyeri. It tastes of blackcurrant and, for a "
            "second, of tomato leaf. We love that second.",
            "You are on <strong>{{plan}}</strong>. Want something gentler this time? Swap it until Wednesday at noon.",
        ),
        button("Swap or skip this bag", "/account/next-bag"),
        DIVIDER,
        heading("For the second cup", 2),
        product("Decaf from Sidama", "Sugar cane process, tastes of honey and tea.", "€13.00", "/coffee/sidama-decaf"),
    ),
)
GRINDER_A = Mail(
    "A hand grinder that does not hurt",
    "Thirty seconds for a filter cup. Club members get it first.",
    numbered(
        heading("We tried fourteen grinders"),
        text(
            HELLO,
            "Twelve went back. Two stayed on the counter, and one of them you can hold in one hand while the kettle boils: "
            "thirty seconds for a filter cup, no wobble, no squeak.",
        ),
        product("Kvarn N2", "Steel burrs, 24 g, fits a travel mug.", "€89.00", "/gear/kvarn-n2"),
        button("Why this one", "/journal/fourteen-grinders"),
        quote("It is the first grinder my children do not complain about.", "Marco, Turin"),
    ),
)
GRINDER_B = Mail(
    "Fourteen grinders went in. One came out.",
    "The short version of six weeks of sore wrists.",
    GRINDER_A.blocks,
)
WHOLESALE_PRICES = Mail(
    "Wholesale prices stay where they are until June",
    "Two coffees change, the rest does not. The list is inside.",
    numbered(
        heading("The list for the next quarter"),
        text(
            HELLO,
            "Green coffee went up again. We bought early, so your prices stay until the end of June for everything but "
            "two lots that are sold out at origin.",
            "What changes: <strong>Yirgacheffe Aricha</strong> is replaced by <strong>Kochere</strong> at the same price, "
            "and <strong>Tarrazú</strong> leaves the list.",
        ),
        button("Open the price list", "/wholesale/prices"),
        text("Questions go to Tom, who answers before lunch: reply to this mail."),
    ),
)
JOURNAL = Mail(
    "Why our bags have no gold foil",
    "A short walk through the packing room, and what we stopped buying.",
    numbered(
        heading("What a bag has to do"),
        text(
            HELLO,
            "Keep air out for eight weeks, let gas out for two, survive a letterbox. Gold foil does none of that better "
            "than paper with a thin plant-based lining, so we stopped buying it.",
            "The new bags go into the paper bin in eleven of the countries we ship to. For the others we keep a list.",
        ),
        button("Where does my bag go?", "/journal/bags"),
        DIVIDER,
        text("Read next: <a href=\"https://northwind.example/journal/roasting-on-tuesdays\">Why we only roast on "
             "Tuesdays</a>."),
    ),
)  # fmt: skip
SAMPLER_A = Mail(
    "Four small bags, one Saturday",
    "The taster box is back: four origins, 60 g each, one card to guess with.",
    numbered(
        heading("Taste four, guess one"),
        text(
            HELLO,
            "The taster box is back for the season: four coffees in plain bags, and a card with four descriptions. Match "
            "them before you turn the card round. Most people get two.",
        ),
        product("Taster box", "4 × 60 g, ground or whole. Ships to {{country}}.", "€19.00", "/coffee/taster-box"),
        button("Take the Saturday test", "/coffee/taster-box"),
        quote("We got one out of four and have not stopped arguing since.", "Priya and Jonas, Berlin"),
    ),
)
SAMPLER_B = Mail(
    "Can you tell Kenya from Colombia?",
    "Most people get two out of four. The taster box is back.",
    SAMPLER_A.blocks,
)
REST_DAY = Mail(
    "Fresh is not best: wait nine days",
    "Coffee needs a rest after roasting. Here is when each of yours is ready.",
    numbered(
        heading("Patience, printed on the bag"),
        text(
            HELLO,
            "Straight from the drum, coffee is full of gas and tastes of hay. At nine days it opens up; at thirty it starts "
            "to fade. From this week on every bag says <strong>when to open it</strong>, not only when it was roasted.",
        ),
        {
            "type": "columns",
            "columns": [
                [heading("Filter", 3), text("Day 7 to 30. Best around day 12.")],
                [heading("Espresso", 3), text("Day 12 to 40. Best around day 18.")],
            ],
        },
        button("Look up your bag", "/guides/resting"),
        GAP,
        SOCIAL,
    ),
)
OPEN_HOUSE = Mail(
    "The roastery is open on Saturday",
    "Cupping at ten and at two, buns while they last.",
    numbered(
        heading("Come and slurp"),
        text(
            HELLO,
            "On Saturday we push the sacks to the wall and put out forty cups. Cupping is at ten and at two, it is free, and "
            "nobody minds the noise.",
            "You live in {{city}} and that is too far? We film the two o'clock table.",
        ),
        button("Keep me a spoon", "/open-house"),
        button("Watch from home", "/open-house/live"),
        SOCIAL,
    ),
)

SENT: tuple[SentCampaign, ...] = (
    SentCampaign("Huila harvest", 88, 8, (NEWSLETTER,), (HARVEST,), 0.41, 0.24),
    SentCampaign("Brew guide: the bloom", 77, 9, (NEWSLETTER,), (BREW_GUIDE,), 0.44, 0.29),
    SentCampaign("Club: Gatomboya", 66, 7, (CLUB,), (CLUB_DROP,), 0.57, 0.31),
    SentCampaign(
        "Kvarn N2 launch", 54, 9, (NEWSLETTER, CLUB), (GRINDER_A, GRINDER_B), 0.38, 0.19, lift=1.62,
        outcome="B won on clicks: the lift is far outside chance, so its subject became our house style.",
    ),
    SentCampaign("Wholesale prices", 43, 6, (WHOLESALE,), (WHOLESALE_PRICES,), 0.63, 0.46),
    SentCampaign("Journal: the bag", 31, 8, (NEWSLETTER,), (JOURNAL,), 0.36, 0.14, in_doubt=2),
    SentCampaign("Club: rest days", 20, 7, (CLUB,), (REST_DAY,), 0.55, 0.22),
    SentCampaign("Taster box", 9, 9, (NEWSLETTER,), (SAMPLER_A, SAMPLER_B), 0.40, 0.21, lift=1.07),
    SentCampaign("Open house", 2, 8, (NEWSLETTER, CLUB), (OPEN_HOUSE,), 0.39, 0.18),
)  # fmt: skip

TOMORROW = (
    "Club: Yirgacheffe Kochere",
    CLUB,
    Mail(
        "Your next bag smells of jasmine",
        "Kochere, washed, roasted yesterday. Swap it until noon if flowers are not your thing.",
        numbered(
            heading("Flowers in the kitchen"),
            text(
                HELLO,
                "Open this one slowly. Kochere smells of jasmine and bergamot before any water has touched it, and tastes of "
                "apricot once it has cooled a little.",
                "You are on <strong>{{plan}}</strong>; it ships this week.",
            ),
            button("See your next bag", "/account/next-bag"),
            quote("I left the bag open on purpose.", "Hana, Kyoto"),
        ),
    ),
)
#: Drafts that wait for somebody: name, list and content.
DRAFTS = (
    (
        "Winter blend: first words",
        NEWSLETTER,
        Mail(
            "The winter blend is late, and better for it",
            "We waited for one more lot. It was worth the week.",
            numbered(
                heading("One week late"),
                text(
                    HELLO,
                    "The winter blend was due on Monday. Then a sample from Antigua came in, and we put everything on hold "
                    "for it: cocoa, orange peel, and the kind of body that stands up to oat milk.",
                ),
                product("Winter blend", "Guatemala and Brazil, medium roast.", "€12.50", "/coffee/winter-blend"),
                button("Be the first to pour", "/coffee/winter-blend"),
            ),
        ),
    ),
    (
        "Win back: the quiet ones",
        NEWSLETTER,
        Mail(
            "Shall we keep your place?",
            "We have not seen you open a letter for a while. One click tells us what you would rather get.",
            numbered(
                heading("Still there?"),
                text(
                    HELLO,
                    "You have not opened our letters for two months, and that is fine. Tell us whether you would like fewer of "
                    "them, other ones, or none: each is one click.",
                ),
                button("Only once a month", "/letters/monthly"),
                button("Only new coffees", "/letters/new-coffees"),
            ),
        ),
    ),
)
#: A draft that preflight stops: it has no subject and its button leads nowhere yet.
BLOCKED = (
    "Gift cards (copy missing)",
    NEWSLETTER,
    Mail(
        "",
        "",
        numbered(
            heading("A card, a bag, a bow"),
            text(HELLO, "Gift cards come in paper this year. Words to follow from Maya."),
            {"type": "button", "label": "Choose a card", "url": "", "align": "left"},
        ),
    ),
)

TEMPLATES: tuple[tuple[str, Mail], ...] = (
    ("New coffee on the shelf", HARVEST),
    ("Brewing guide", BREW_GUIDE),
    ("Club: bag of the month", CLUB_DROP),
    ("Product launch", GRINDER_A),
    ("Wholesale news", WHOLESALE_PRICES),
    ("Journal story", JOURNAL),
    ("Seasonal box", SAMPLER_A),
    ("Invitation", OPEN_HOUSE),
    ("Win back", DRAFTS[1][2]),
    (
        "Thank you for your order",
        Mail(
            "Thank you: your coffee is being roasted",
            "It leaves us the day after it cools.",
            numbered(
                heading("In the drum"),
                text(HELLO, "Your order is with the roaster. It rests overnight and leaves us the day after."),
                button("Follow your parcel", "/account/orders"),
            ),
        ),
    ),
    (
        "Welcome",
        Mail(
            "Welcome to the morning cup",
            "What you will get from us, how often, and a recipe to start with.",
            numbered(
                heading("Good to have you"),
                text(
                    HELLO,
                    "Every other week we write one letter: a coffee, a way to brew it, and a story from the roastery. That is "
                    "all, and you can leave whenever you like.",
                ),
                button("Start with one good cup", "/guides/pour-over"),
            ),
        ),
    ),
    (
        "Blank page with our footer",
        Mail("", "", numbered(heading("Your headline"), text(HELLO, "Your first paragraph."))),
    ),
)
