"""What happened, as pages, `/v1` and sockets read it. Every figure and rate is defined here, once."""

from analytics.selectors.breakdowns import get_domains, get_links, get_providers, mask_email
from analytics.selectors.figures import RATES, get_campaign_stats, list_campaign_figures
from analytics.selectors.live import get_live_frame, get_live_snapshot
from analytics.selectors.timeline import RANGES, get_timeline

__all__ = [
    "RANGES",
    "RATES",
    "get_campaign_stats",
    "get_domains",
    "get_links",
    "get_live_frame",
    "get_live_snapshot",
    "get_providers",
    "get_timeline",
    "list_campaign_figures",
    "mask_email",
]
