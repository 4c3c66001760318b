"""A report as a mail: the figures and tables of its page, as HTML that every mail program shows, and as text."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from analytics.models import Report, ReportRecipient
from analytics.reports.table import Answer
from analytics.tokens import stop_url

#: A mail is not a spreadsheet: the first rows, and a link to all.
MOST_ROWS = 15


def send(*, report: Report, recipient: ReportRecipient, answer: Answer) -> None:
    """Send a report to one recipient through the installation's own mail.

    Raises:
        Exception: whatever the provider refused it with.
    """
    address = stop_url(recipient.pk)
    context = {
        "report": report,
        "answer": answer,
        "workspace": report.workspace,
        "most_rows": MOST_ROWS,
        "link": f"{settings.PUBLIC_URL}/reports/kept/{report.pk}" if recipient.user_id else "",
        "stop": address,
    }
    mail = EmailMultiAlternatives(
        subject=" ".join(f"{report.name}: {answer.subtitle}".split())[:200],
        body=render_to_string("analytics/mail/report.txt", context),
        to=[recipient.email],
        headers={"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )
    mail.attach_alternative(render_to_string("analytics/mail/report.html", context), "text/html")
    mail.send()
