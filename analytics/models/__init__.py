from analytics.models.campaign_stats import CampaignStats, EventMinute
from analytics.models.event import Event
from analytics.models.experiment import Experiment
from analytics.models.goal import Goal
from analytics.models.link_stats import LinkStats
from analytics.models.report import Report

__all__ = ["CampaignStats", "Event", "EventMinute", "Experiment", "Goal", "LinkStats", "Report"]
