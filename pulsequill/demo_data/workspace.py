"""Making and removing the demo workspace."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from accounts.models import Activity, Membership, Notification, User, WebhookAttempt, WebhookEndpoint, Workspace
from aiwriter.models import BrandVoice, Brief, Draft, Generation
from analytics.models import Event
from audiences.models import Consent, Contact, ContactField, ContactList, Segment, Subscription, Suppression
from campaigns.deliverability.checks import all_right
from campaigns.deliverability.routes import route_of
from campaigns.deliverability.verify import ensure_key
from campaigns.models import Campaign, EmailTemplate, Link, Message, Sender, SendingDomain
from pulsequill.core.ids import uuid7
from pulsequill.core.signing import encrypt
from pulsequill.demo_data import mails
from pulsequill.demo_data.audience import FIELDS, LISTS, NEWSLETTER, Customer, customers, segments
from pulsequill.demo_data.past import date_suppressions, new_campaign, send_in_the_past, today_at
from pulsequill.demo_data.people import OPERATOR, PASSWORD, PEOPLE
from pulsequill.demo_data.rows import copy_in

NAME, SLUG, DOMAIN = "Northwind Coffee", "northwind-coffee", "northwind.example"
#: Every run throws the same dice.
SEED = 1971
BRAND = {
    "color": "#2f4a3c",
    "background": "#f4f1ea",
    "surface": "#fffdf9",
    "ink": "#2a2420",
    "font": "sans",
    "logo_text": NAME,
    "website": f"https://{DOMAIN}",  # where drafts lead when their brief names no address
}


def find_demo() -> Workspace | None:
    """Return the demo workspace, if it is there."""
    return Workspace.objects.filter(is_demo=True, slug=SLUG).first()


def remove_demo() -> bool:
    """Remove the demo workspace and its people. The operator stays: removing the demo must not lock anybody out.

    Returns:
        Whether there was one.
    """
    with transaction.atomic():
        workspace = find_demo()
        emails = [person.email for person in PEOPLE]
        people = User.objects.filter(email__in=emails).exclude(memberships__workspace__is_demo=False)
        people.delete()
        if workspace is not None:
            workspace.delete()
    return workspace is not None


def make_demo(*, now: datetime | None = None) -> Workspace:
    """Make the demo workspace, or return the one that is there: doing it twice changes nothing."""
    now = now or timezone.now()
    with transaction.atomic():
        return find_demo() or _Builder(now).build()


class _Builder:
    """One making of the demo; what later steps need of earlier ones is kept here."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.dice = random.Random(SEED)  # noqa: S311 - not for secrets
        self.workspace: Workspace
        self.owner: User
        self.editor: User
        self.sender: Sender
        self.lists: dict[str, ContactList] = {}
        self.keenness: dict[str, float] = {}
        self.history: list[Activity] = []

    def build(self) -> Workspace:
        self._people()
        self._sending()
        self._audience()
        self._past()
        self._future()
        self._templates()
        self._writer()
        self._connections()
        self._diary()
        return self.workspace

    # --- who

    def _people(self) -> None:
        made_at = self.now - timedelta(days=366)
        self.workspace = Workspace.objects.create(
            name=NAME,
            slug=SLUG,
            is_demo=True,
            postal_address="Packhusgatan 4, 411 13 Gothenburg, Sweden",
            reason_line="You get this letter because you asked for it on northwind.example.",
            time_zone="Europe/Stockholm",
            brand=BRAND,
        )
        Workspace.objects.filter(pk=self.workspace.pk).update(created_at=made_at)
        password = make_password(PASSWORD)  # once: a slow hash is slow by design, and they share the password
        users = {}
        for person in PEOPLE:
            user, _made = User.objects.get_or_create(
                email=person.email, defaults={"name": person.name, "password": password}
            )
            Membership.objects.create(workspace=self.workspace, user=user, role=person.role)
            users[person.role] = user
        self.owner, self.editor = users["owner"], users["editor"]
        if settings.IS_LOCAL_RUN:  # everybody knows this password: it opens the admin of a local run only
            User.objects.get_or_create(
                email=OPERATOR.email,
                defaults={"name": OPERATOR.name, "password": password, "is_staff": True, "is_superuser": True},
            )

    def _sending(self) -> None:
        self.sender = Sender.objects.create(
            workspace=self.workspace,
            from_name="Maya at Northwind",
            from_email=f"letters@{DOMAIN}",
            reply_to=f"hello@{DOMAIN}",
        )
        verified = self.now - timedelta(days=120)
        domain = SendingDomain(workspace=self.workspace, name=DOMAIN, verified_at=verified, checked_at=self.now)
        ensure_key(domain)
        domain.dkim_verified_at = verified
        domain.findings = [finding.as_json() for finding in all_right(domain, route_of(self.workspace.pk))]
        domain.save()

    # --- the audience

    def _audience(self) -> None:
        for name, description in LISTS:
            self.lists[name] = ContactList.objects.create(workspace=self.workspace, name=name, description=description)
        for key, label, kind, fallback in FIELDS:
            ContactField.objects.create(workspace=self.workspace, key=key, label=label, type=kind, fallback=fallback)
        ids = {name: str(row.pk) for name, row in self.lists.items()}
        for name, rules in segments(ids).items():
            Segment.objects.create(workspace=self.workspace, name=name, rules=rules)
        self._joined = list(customers(self.now, self.dice))

    def _let_join(self, until: datetime) -> None:
        """Add the contacts who joined before `until`: nobody gets a letter from before their time."""
        joining = [customer for customer in self._joined if customer.joined_at < until]
        self._joined = self._joined[len(joining) :]
        contacts, subscriptions, consents = [], [], []
        for customer in joining:
            contact = self._contact(customer)
            contacts.append(contact)
            subscriptions += [self._subscription(contact, self.lists[name]) for name in customer.lists]
            consents.append(self._consent(contact, customer))
            self.keenness[customer.email] = customer.keenness
        for rows in (contacts, subscriptions, consents):
            copy_in(rows)
        _refresh_statistics(Contact, Subscription)

    def _dated(self, at: datetime) -> dict[str, Any]:
        return {"workspace_id": self.workspace.pk, "created_at": at, "updated_at": at}

    def _contact(self, customer: Customer) -> Contact:
        return Contact(
            id=uuid7(),
            email=customer.email,
            email_normalized=customer.email,
            first_name=customer.first_name,
            last_name=customer.last_name,
            attributes=customer.attributes,
            time_zone=customer.time_zone,
            source=customer.source,
            **self._dated(customer.joined_at),
        )

    def _subscription(self, contact: Contact, place: ContactList) -> Subscription:
        return Subscription(id=uuid7(), contact_id=contact.pk, list_id=place.pk, **self._dated(contact.created_at))

    def _consent(self, contact: Contact, customer: Customer) -> Consent:
        return Consent(
            id=uuid7(),
            contact_id=contact.pk,
            source={"form": "Sign-up form", "import": "Shop checkout", "api": "Shop checkout"}.get(
                customer.source, "At the counter"
            ),
            wording="Yes, send me the letter every other week.",
            given_at=customer.joined_at,
            **self._dated(customer.joined_at),
        )

    # --- campaigns

    def _past(self) -> None:
        for plan in mails.SENT:
            self._let_join(self.now - timedelta(days=plan.days_ago))
            campaign = self._draft(plan.name, [self.lists[name] for name in plan.lists], plan.variants)
            launched = send_in_the_past(plan, campaign=campaign, keenness=self.keenness, dice=self.dice, now=self.now)
            self._note(launched, self.editor, "campaign.launched", f"Sent {plan.name}.", campaign)
        self._let_join(self.now)
        date_suppressions(self.workspace)
        Suppression.objects.create(
            workspace=self.workspace,
            email_normalized="press@example.net",
            reason=Suppression.Reason.MANUAL,
            source="By hand: asked on the phone",
        )

    def _draft(self, name: str, lists: list[ContactList], variants: tuple[mails.Mail, ...]) -> Campaign:
        return new_campaign(
            workspace=self.workspace, sender=self.sender, author=self.editor, name=name, lists=lists, mails=variants
        )

    def _future(self) -> None:
        name, list_name, mail = mails.TOMORROW
        scheduled = self._draft(name, [self.lists[list_name]], (mail,))
        Campaign.objects.filter(pk=scheduled.pk).update(
            status=Campaign.Status.SCHEDULED, send_at=today_at(8, days=1), created_at=self.now - timedelta(hours=5)
        )
        self._note(self.now - timedelta(hours=3), self.owner, "campaign.scheduled", f"Scheduled {name}.", scheduled)
        for hours, (name, list_name, mail) in zip((20, 44), mails.DRAFTS, strict=True):
            draft = self._draft(name, [self.lists[list_name]], (mail,))
            Campaign.objects.filter(pk=draft.pk).update(created_at=self.now - timedelta(hours=hours))
        name, list_name, mail = mails.BLOCKED
        blocked = self._draft(name, [self.lists[list_name]], (mail,))
        Campaign.objects.filter(pk=blocked.pk).update(created_at=self.now - timedelta(hours=70))

    def _templates(self) -> None:
        for name, mail in mails.TEMPLATES:
            EmailTemplate.objects.create(
                workspace=self.workspace,
                name=name,
                subject=mail.subject,
                preview_text=mail.preview_text,
                body=mail.blocks,
            )

    # --- the writer

    def _writer(self) -> None:
        voice = BrandVoice.objects.create(
            workspace=self.workspace,
            name="Northwind",
            status=BrandVoice.Status.ACTIVE,
            profile={
                "traits": ["warm", "plain", "a little dry"],
                "do_words": ["letter", "cup", "pour", "roast"],
                "dont_words": ["hurry", "exclusive", "unbelievable"],
                "style_rules": ["Short sentences.", "One idea a letter.", "No exclamation marks."],
                "banned_phrases": ["last chance", "don't miss"],
                "formality": "casual",
            },
        )
        brief = Brief.objects.create(
            workspace=self.workspace,
            goal="Tell club members that the winter blend is late and why that is good.",
            audience="Members of the Roastery Club",
            facts=["The blend waited one week for a lot from Antigua, Guatemala."],
            cta_label="Be the first to pour",
            cta_url=f"{mails.SHOP}/coffee/winter-blend",
            brand_voice=voice,
        )
        began = self.now - timedelta(hours=21)
        generation = Generation.objects.create(
            workspace=self.workspace,
            brief=brief,
            created_by=self.editor,
            status=Generation.Status.SUCCEEDED,
            origin=Generation.Origin.OFFLINE_TEMPLATE,
            engine="template",
            route_reason="No AI key is set, so the drafts came from templates.",
            started_at=began,
            finished_at=began + timedelta(seconds=2),
        )
        drafts = (mails.DRAFTS[0][2], mails.HARVEST, mails.REST_DAY)
        for position, (angle, mail) in enumerate(zip(("Plain news", "A story", "A use"), drafts, strict=True)):
            Draft.objects.create(
                workspace=self.workspace,
                generation=generation,
                position=position,
                angle=angle,
                subject=mail.subject,
                preview_text=mail.preview_text,
                blocks=mail.blocks,
                guardrails={"ok": True, "findings": []},
                status=Draft.Status.ACCEPTED if position == 0 else Draft.Status.PROPOSED,
                decided_by=self.editor if position == 0 else None,
                decided_at=began + timedelta(minutes=4) if position == 0 else None,
            )
        self._note(began, self.editor, "draft.accepted", "Accepted the draft “Plain news”.", generation)

    # --- webhooks, diary, notifications

    def _connections(self) -> None:
        endpoint = WebhookEndpoint.objects.create(
            workspace=self.workspace,
            url=f"https://hooks.{DOMAIN}/pulsequill",
            kinds=["campaign.sent", "contact.unsubscribed"],
            secret_encrypted=encrypt("whsec_" + "bm9ydGh3aW5kLWNvZmZlZS1kZW1vLXNlY3JldA=="),
            is_active=False,
            disabled_reason="Part of the demo: nobody listens at this address.",
        )
        answers = ((200, 84, "delivered", 1), (200, 91, "delivered", 1), (503, 15_000, "exhausted", 10))
        for number, (status, duration, outcome, tries) in enumerate(answers):
            WebhookAttempt.objects.create(
                workspace=self.workspace,
                endpoint=endpoint,
                message_id=f"msg_demo_{number}",
                kind="campaign.sent",
                payload={"type": "campaign.sent", "data": {"name": mails.SENT[-1 - number].name}},
                status=outcome,
                tries=tries,
                response_status=status,
                response_body="ok" if status == 200 else "upstream timed out",
                duration_ms=duration,
            )

    def _note(self, at: datetime, actor: User, kind: str, summary: str, subject: Any) -> None:
        self.history.append(
            Activity(
                id=uuid7(),
                actor_id=actor.pk,
                actor_label=str(actor),
                kind=kind,
                object_type=subject._meta.model_name,
                object_id=str(subject.pk),
                summary=summary,
                **self._dated(at),
            )
        )

    def _diary(self) -> None:
        """Replace what the services noted today with what happened when."""
        week = timedelta(days=7)
        self._note(self.now - 52 * week, self.owner, "workspace.created", f"Made the workspace {NAME}.", self.workspace)
        newsletter = self.lists[NEWSLETTER]
        self._note(self.now - 51 * week, self.owner, "list.created", f"Added list {NEWSLETTER}.", newsletter)
        domain = SendingDomain.objects.for_workspace(self.workspace).get()
        self._note(self.now - 17 * week, self.owner, "domain.verified", f"Verified {DOMAIN}.", domain)
        Activity.objects.for_workspace(self.workspace).delete()
        Notification.objects.for_workspace(self.workspace).delete()
        copy_in(self.history)
        Notification.objects.create(
            workspace=self.workspace,
            kind="campaign.sent",
            title="Open house was sent",
            body="See who comes: the figures are on its live page.",
            url="/campaigns",
        )
        _refresh_statistics(Contact, Subscription, Suppression, Message, Link, Event)


def _refresh_statistics(*models: type[Model]) -> None:
    """Tell the planner what is there: it has seen nothing of a transaction's own rows and would loop over them."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(model._meta.db_table for model in models))
