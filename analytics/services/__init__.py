"""The writes of analytics that others may call."""

from analytics.services.conversions import report_conversions
from analytics.services.erasing import forget_person
from analytics.services.goals import create_goal, delete_goal, update_goal
from analytics.services.report_schedules import schedule_report, stop_mails, unschedule_report
from analytics.services.report_shares import open_share, revoke_share, share_report
from analytics.services.reports import delete_report, save_report

__all__ = [
    "create_goal",
    "delete_goal",
    "delete_report",
    "forget_person",
    "open_share",
    "report_conversions",
    "revoke_share",
    "save_report",
    "schedule_report",
    "share_report",
    "stop_mails",
    "unschedule_report",
    "update_goal",
]
