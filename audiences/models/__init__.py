from audiences.models.consent import Consent
from audiences.models.contact import Contact
from audiences.models.contact_field import ContactField
from audiences.models.contact_import import ContactImport, ContactImportReject
from audiences.models.contact_list import ContactList
from audiences.models.former_contact import FormerContact
from audiences.models.segment import Segment
from audiences.models.subscription import Subscription
from audiences.models.suppression import Suppression

__all__ = [
    "Consent",
    "Contact",
    "ContactField",
    "ContactImport",
    "ContactImportReject",
    "ContactList",
    "FormerContact",
    "Segment",
    "Subscription",
    "Suppression",
]
