from analytics.models.breakdown import Breakdown
from analytics.models.campaign_stats import CampaignStats, EventMinute
from analytics.models.conversion import Conversion, ConversionStats
from analytics.models.event import ArchiveMonth, Event, EventArchive
from analytics.models.facet import CohortMonth, Facet, FacetCount
from analytics.models.goal import Goal
from analytics.models.goal_day import GoalDay
from analytics.models.holdout_conversion import HoldoutConversion
from analytics.models.link_stats import LinkStats
from analytics.models.report import Report, ReportMail, ReportRecipient, ReportSchedule, ReportShare
from analytics.models.rule_run import RuleRun

__all__ = [
    "ArchiveMonth",
    "Breakdown",
    "CampaignStats",
    "CohortMonth",
    "Conversion",
    "ConversionStats",
    "Event",
    "EventArchive",
    "EventMinute",
    "Facet",
    "FacetCount",
    "Goal",
    "GoalDay",
    "HoldoutConversion",
    "LinkStats",
    "Report",
    "ReportMail",
    "ReportRecipient",
    "ReportSchedule",
    "ReportShare",
    "RuleRun",
]
