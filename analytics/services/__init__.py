"""The writes of analytics that others may call."""

from analytics.services.conversions import report_conversions
from analytics.services.erasing import forget_person
from analytics.services.goals import create_goal, delete_goal, update_goal
from analytics.services.reports import delete_report, save_report

__all__ = [
    "create_goal",
    "delete_goal",
    "delete_report",
    "forget_person",
    "report_conversions",
    "save_report",
    "update_goal",
]
