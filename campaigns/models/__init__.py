from campaigns.models.approval import Approval
from campaigns.models.asset import Asset
from campaigns.models.campaign import Campaign
from campaigns.models.captured_message import CapturedMessage
from campaigns.models.comment import Comment
from campaigns.models.content_version import TemplateVersion, VariantVersion
from campaigns.models.delivery_minute import DeliveryMinute
from campaigns.models.drafting_schedule import DraftingRun, DraftingSchedule
from campaigns.models.email_template import EmailTemplate
from campaigns.models.experiment import Experiment
from campaigns.models.link import Link
from campaigns.models.message import Message
from campaigns.models.pace import Pace
from campaigns.models.provider_settings import ProviderSettings
from campaigns.models.sender import Sender
from campaigns.models.sending_domain import SendingDomain
from campaigns.models.settlement import Settlement
from campaigns.models.smtp_server import SmtpServer
from campaigns.models.variant import Variant

__all__ = [
    "Approval",
    "Asset",
    "Campaign",
    "CapturedMessage",
    "Comment",
    "DeliveryMinute",
    "DraftingRun",
    "DraftingSchedule",
    "EmailTemplate",
    "Experiment",
    "Link",
    "Message",
    "Pace",
    "ProviderSettings",
    "Sender",
    "SendingDomain",
    "Settlement",
    "SmtpServer",
    "TemplateVersion",
    "Variant",
    "VariantVersion",
]
