"""The verbs of the audience: the only writes that other apps may call."""

from audiences.services.contacts import (
    create_contact,
    delete_contact,
    erase_contact,
    register_eraser,
    update_contact,
)
from audiences.services.engagement import correct_engagement, record_engagement, record_sent
from audiences.services.fields import create_field, delete_field, update_field
from audiences.services.imports import (
    cancel_import,
    start_import,
    start_mapped_import,
    undo_import,
    upload_import,
)
from audiences.services.lists import add_to_list, create_list, delete_list, remove_from_list, update_list
from audiences.services.segments import check_rules, create_segment, delete_segment, update_segment
from audiences.services.subscriptions import (
    choose_lists,
    resubscribe,
    unsubscribe,
)
from audiences.services.suppressions import Stop, lift_suppression, suppress_contacts, suppress_email, suppress_emails

__all__ = [
    "Stop",
    "add_to_list",
    "cancel_import",
    "check_rules",
    "choose_lists",
    "correct_engagement",
    "create_contact",
    "create_field",
    "create_list",
    "create_segment",
    "delete_contact",
    "delete_field",
    "delete_list",
    "delete_segment",
    "erase_contact",
    "lift_suppression",
    "record_engagement",
    "record_sent",
    "register_eraser",
    "remove_from_list",
    "resubscribe",
    "start_import",
    "start_mapped_import",
    "suppress_contacts",
    "suppress_email",
    "suppress_emails",
    "undo_import",
    "unsubscribe",
    "update_contact",
    "update_field",
    "update_list",
    "update_segment",
    "upload_import",
]
