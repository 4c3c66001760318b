from analytics.models.breakdown import Breakdown
from analytics.models.campaign_stats import CampaignStats, EventMinute
from analytics.models.conversion import Conversion, ConversionStats
from analytics.models.event import Event
from analytics.models.goal import Goal
from analytics.models.link_stats import LinkStats
from analytics.models.report import Report

__all__ = [
    "Breakdown",
    "CampaignStats",
    "Conversion",
    "ConversionStats",
    "Event",
    "EventMinute",
    "Goal",
    "LinkStats",
    "Report",
]
