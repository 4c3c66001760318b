"""Mails that come back, as mail servers write them. `$path` is our return path, `$link` our unsubscribe link.

The reports follow the examples of RFC 3464 appendix A and RFC 5965 appendix B; qmail's follows QSBMF
(https://cr.yp.to/proto/qsbmf.txt), Exim's its default message texts (specification, chapter 50), Outlook's the form of
its Junk Mail Reporting Program, Postfix's what bounce(8) writes.
"""

from __future__ import annotations

from string import Template

ORIGINAL = """Return-Path: <$path>
From: Northwind Coffee <hello@northwind.example>
To: $email
Subject: Harvest roast
Message-ID: <17@northwind.example>
List-Unsubscribe: <$link>,
 <mailto:hello@northwind.example?subject=unsubscribe>

Hello.
"""

#: RFC 3464: a group about the message, then one for each recipient. `$groups` are these.
REPORT = (
    """From: MAILER-DAEMON@mail.example.net (Mail Delivery System)
To: $path
Subject: Undelivered Mail Returned to Sender
Date: $date
Auto-Submitted: auto-replied
Message-ID: <$message_id>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="A41C7.838631588=_/mail.example.net"

--A41C7.838631588=_/mail.example.net
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--A41C7.838631588=_/mail.example.net
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.net
X-Postfix-Queue-ID: A41C7
Arrival-Date: $date

$groups
--A41C7.838631588=_/mail.example.net
Content-Type: message/rfc822

"""
    + ORIGINAL
    + """
--A41C7.838631588=_/mail.example.net--
"""
)


def group(action: str, status: str, diagnostic: str = "", *, recipient: str = "$email", original: str = "") -> str:
    """Return the fields about one recipient."""
    lines = [f"Original-Recipient: rfc822;{original}"] if original else []
    lines += [f"Final-Recipient: rfc822; {recipient}", f"Action: {action}", f"Status: {status}"]
    lines += [f"Diagnostic-Code: smtp; {diagnostic}"] if diagnostic else []
    return "\n".join(lines) + "\n"


#: RFC 5965 appendix B.2, the recipient blacked out as large providers do.
COMPLAINT = """From: <abusedesk@example.com>
Date: $date
Subject: FW: Harvest roast
To: <fbl@northwind.example>
Message-ID: <$message_id>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1_13d.2e68ed54_boundary"

--part1_13d.2e68ed54_boundary
Content-Type: text/plain; charset="US-ASCII"
Content-Transfer-Encoding: 7bit

This is an email abuse report for an email message received from IP 192.0.2.1.

--part1_13d.2e68ed54_boundary
Content-Type: message/feedback-report

Feedback-Type: $feedback
User-Agent: SomeGenerator/1.0
Version: 1
$mail_from
Source-IP: 192.0.2.1
Reported-Domain: northwind.example
Redacted-Rcpt-To: redacted@example.com

--part1_13d.2e68ed54_boundary
Content-Type: message/rfc822
Content-Disposition: inline

From: Northwind Coffee <hello@northwind.example>
Received: from mail.northwind.example by mx.example.com; $date
To: <redacted@example.com>
Subject: Harvest roast
List-Unsubscribe: <$link>,
 <mailto:hello@northwind.example?subject=unsubscribe>
Message-ID: <17@northwind.example>

Hello.

--part1_13d.2e68ed54_boundary--
"""

OUTLOOK_COMPLAINT = """From: staff@hotmail.com
To: fbl@northwind.example
Date: $date
Subject: complaint about message from 192.0.2.1
Message-ID: <$message_id>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="F0-EE"

--F0-EE
Content-Type: message/rfc822
Content-Disposition: inline

X-HmXmrOriginalRecipient: $email
List-Unsubscribe: <$link>
From: Northwind Coffee <hello@northwind.example>
Subject: Harvest roast

Hello.

--F0-EE--
"""

QMAIL = (
    """From: MAILER-DAEMON@qmail.example
To: $path
Subject: failure notice
Date: $date
Message-ID: <$message_id>

Hi. This is the qmail-send program at qmail.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<$email>:
$words

--- Below this line is a copy of the message.

"""
    + ORIGINAL
)

EXIM = (
    """From: Mail Delivery System <Mailer-Daemon@exim.example>
To: $path
Subject: Mail delivery failed: returning message to sender
Date: $date
Message-ID: <$message_id>
X-Failed-Recipients: $email
Auto-Submitted: auto-replied

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  $email
    SMTP error from remote mail server after RCPT TO:<$email>:
    host mx.example.com [192.0.2.9]: $words

------ This is a copy of the message, including all the headers. ------

"""
    + ORIGINAL
)

EXIM_DELAY = """From: Mail Delivery System <Mailer-Daemon@exim.example>
To: $path
Subject: Warning: message 1abcde-000001-AB delayed 24 hours
Date: $date
Message-ID: <$message_id>
Auto-Submitted: auto-replied

This message was created automatically by mail delivery software.
A message that you sent has not been delivered to one or more of its
recipients after more than 24 hours on the queue on exim.example.

No action is required on your part. Delivery attempts will continue for
some time.
"""

HOLIDAY = """From: Robin Reader <$email>
To: $path
Subject: Out of office: Harvest roast
Date: $date
Message-ID: <$message_id>
Auto-Submitted: auto-replied

I am away until Monday. Your message could not be delivered to my attention: 550 5.1.1 user unknown to work.
"""

OLD_HOLIDAY = HOLIDAY.replace("Auto-Submitted: auto-replied", "Precedence: auto_reply")

REPLY = """From: Robin Reader <$email>
To: $path
Subject: Re: Harvest roast
Date: $date
Message-ID: <$message_id>

Lovely! The last one did not arrive, "Undelivered Mail Returned to Sender", but this one did.
"""

READ_RECEIPT = """From: Robin Reader <$email>
To: $path
Subject: Read: Harvest roast
Date: $date
Message-ID: <$message_id>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="MDN"

--MDN
Content-Type: text/plain

The message was read.

--MDN
Content-Type: message/disposition-notification

Reporting-UA: mail.example; Some client
Final-Recipient: rfc822;$email
Disposition: manual-action/MDN-sent-manually; displayed

--MDN--
"""


def written(sample: str, **values: str) -> bytes:
    """Return a sample with its values, lines ended as mail servers end them."""
    text = sample
    for _ in range(2):  # groups hold values themselves
        text = Template(text).safe_substitute(values)
    return text.replace("\n", "\r\n").encode()
