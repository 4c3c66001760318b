"""How the live page calls and colours what it shows; the script gets the same tables with the page."""

from __future__ import annotations

from analytics.views.charts import Series

#: Series of the chart for each position of the switch, from the bottom: name, word, CSS class of its colour.
CHART_SERIES: dict[str, tuple[Series, ...]] = {
    "human": (
        ("human_clicks", "Clicks", "f-click"),
        ("human_opens", "Human opens", "f-human"),
        ("machine_opens", "Machine opens", "f-machine"),
        ("delivered", "Delivered", "f-delivered"),
    ),
    "machine": (
        ("machine_clicks", "Machine clicks", "f-click"),
        ("machine_opens", "Machine opens", "f-machine"),
        ("delivered", "Delivered", "f-delivered"),
    ),
    "both": (
        ("machine_clicks", "Machine clicks", "f-bounce"),
        ("human_clicks", "Human clicks", "f-click"),
        ("human_opens", "Human opens", "f-human"),
        ("machine_opens", "Machine opens", "f-machine"),
        ("delivered", "Delivered", "f-delivered"),
    ),
}
VIEW_WORDS = {"human": ("Human", "user"), "machine": ("Machine", "machine"), "both": ("Both", "")}

#: Event -> word, icon and colour in the ticker; opens and clicks of machines have their own.
TICKER_LOOKS: dict[str, tuple[str, str, str]] = {
    "opened": ("Opened", "user", "human"),
    "clicked": ("Clicked", "click", "human"),
    "machine opened": ("Machine open", "machine", "machine"),
    "machine clicked": ("Machine click", "machine", "machine"),
    "delivered": ("Delivered", "check", ""),
    "deferred": ("Deferred", "clock", "warn"),
    "bounced": ("Bounced", "bounce", "warn"),
    "complained": ("Complained", "flag", "warn"),
    "unsubscribed": ("Unsubscribed", "unsubscribe", "warn"),
    "rejected": ("Rejected", "block", "warn"),
    "failed": ("Failed", "warn", "warn"),
    "converted": ("Goal reached", "star", "human"),
    "unknown": ("Other", "info", ""),
}
ALERT_WORDS = {"bounce_rate": "Bounces", "complaint_rate": "Complaints"}

#: Status of messages that will not be sent (any more) -> how the progress line says it.
LEFT_OUT = {"skipped": "skipped", "failed": "failed", "in_doubt": "in doubt"}

#: Lists of what people read with and where: name in the snapshot -> word of the switch, and what one of them is called.
READERS: dict[str, tuple[str, str]] = {
    "devices": ("Device", "device"),
    "clients": ("Program", "mail program"),
    "countries": ("Country", "country"),
}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
