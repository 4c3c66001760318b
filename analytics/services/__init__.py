"""The writes of analytics that others may call."""

from analytics.services.records import (
    create_goal,
    delete_goal,
    delete_report,
    forget_person,
    report_conversion,
    save_report,
    update_goal,
)

__all__ = [
    "create_goal",
    "delete_goal",
    "delete_report",
    "forget_person",
    "report_conversion",
    "save_report",
    "update_goal",
]
