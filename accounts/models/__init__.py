from accounts.models.activity import Activity
from accounts.models.api_key import ApiKey
from accounts.models.invitation import Invitation
from accounts.models.membership import Membership
from accounts.models.notification import Notification
from accounts.models.session import RefreshToken
from accounts.models.user import User
from accounts.models.webhook import WebhookAttempt, WebhookEndpoint
from accounts.models.workspace import Workspace

__all__ = [
    "Activity",
    "ApiKey",
    "Invitation",
    "Membership",
    "Notification",
    "RefreshToken",
    "User",
    "WebhookAttempt",
    "WebhookEndpoint",
    "Workspace",
]
