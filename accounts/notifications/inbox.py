"""Lines in the notification list, pushed to open pages."""

from __future__ import annotations

from accounts.models import Activity, Notification
from accounts.notifications.catalogue import NOTICES
from pulsequill.core.live import push, workspace_group


def notify_workspace(activity: Activity) -> Notification:
    """Tell everybody in the workspace what happened, once the transaction has committed."""
    notice = NOTICES[activity.kind]
    line = Notification.objects.create(
        workspace_id=activity.workspace_id,
        kind=activity.kind,
        title=notice.title,
        body=activity.summary,
        url=notice.url.format(id=activity.object_id),
    )
    push(
        workspace_group(activity.workspace_id),
        {
            "type": "notification",
            "id": str(line.pk),
            "kind": line.kind,
            "title": line.title,
            "body": line.body,
            "url": line.url,
        },
    )
    return line
