"""What kind of address every route is. The cross-tenant walk fails for a route that is not listed here.

One line a route: its pattern as Django resolves it (regular expressions without their anchors), and for routes with
the id of a row the model of that row. Add the line in the commit that adds the route.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Anybody: no session, no workspace. What a token in the address proves is tested by its own app.
PUBLIC = """
healthz
readyz
metrics
v1/auth/register
v1/auth/token
v1/auth/token/refresh
v1/auth/logout
v1/schema
v1/docs
v1/problems
v1/.*
sign-in
sign-up
sign-out
password/forgot
password/reset/<str:uid>/<str:token>
invitations/<str:token>
u/<str:token>
p/<str:token>
w/<str:token>
hooks/sendgrid/<str:token>
r/stop/<str:token>
r/<str:token>
hooks/bounce/<str:token>
m/<uuid:asset_id>.<slug:extension>
"""

#: A signed-in person, whatever the workspace: only rows of their own.
PERSON = """
v1/me
v1/me/password
v1/workspaces
v1/invitations/accept
workspaces/new
workspaces/switch
"""

#: The caller's workspace.
TENANT = """
v1/workspace
v1/webhooks/<uuid:endpoint_id>/attempts                       WebhookEndpoint
v1/webhooks/attempts/<uuid:id>/redeliver                      WebhookAttempt
v1/ws-tickets
v1/members
v1/members/<id>                                               Membership
v1/invitations
v1/invitations/<id>                                           Invitation
v1/audit
v1/audit/<id>                                                 Activity
v1/api-keys
v1/api-keys/<id>                                              ApiKey
v1/webhooks
v1/webhooks/<id>                                              WebhookEndpoint
v1/webhooks/<id>/rotate                                       WebhookEndpoint
v1/webhooks/<id>/test                                         WebhookEndpoint
v1/notifications
v1/notifications/read
v1/notifications/<id>                                         Notification
v1/notifications/<id>/read                                    Notification
v1/ai/drafts
v1/ai/drafts/<uuid:id>                                        Generation
v1/ai/drafts/<uuid:id>/accept                                 Generation
v1/ai/drafts/<uuid:id>/reject                                 Generation
v1/ai/drafts/<uuid:id>/cancel                                 Generation
v1/ai/drafts/<uuid:id>/mix                                    Generation
v1/ai/drafts/<uuid:id>/regenerate                             Generation
v1/ai/drafts/<uuid:id>/restore                                Generation
v1/ai/briefs/propose
v1/ai/subject-lines
v1/ai/rewrite
v1/ai/cta
v1/ai/alt-text
v1/ai/subject-score
v1/ai/generations
v1/ai/brand-voices
v1/ai/brand-voices/<uuid:id>                                  BrandVoice
v1/ai/usage
v1/ai/facts
v1/ai/facts/<uuid:id>                                         BrandFact
v1/ai/schedules
v1/ai/schedules/<uuid:id>                                     DraftingSchedule
v1/ai/schedules/<uuid:id>/run                                 DraftingSchedule
v1/ai/schedules/<uuid:id>/runs                                DraftingSchedule
ai/schedules
ai/schedules/new
ai/schedules/<uuid:schedule_id>                               DraftingSchedule
ai/schedules/<uuid:schedule_id>/edit                          DraftingSchedule
ai/schedules/<uuid:schedule_id>/pause                         DraftingSchedule
ai/schedules/<uuid:schedule_id>/run                           DraftingSchedule
ai/schedules/<uuid:schedule_id>/delete                        DraftingSchedule
v1/ai/calls
v1/contacts/<uuid:id>/erase                                   Contact
v1/contacts/<uuid:id>/export                                  Contact
v1/segments/preview
v1/segments/explain
v1/segments/from-text
v1/imports
v1/imports/<uuid:id>                                          ContactImport
v1/imports/<uuid:id>/rejects.csv                              ContactImport
v1/imports/<uuid:id>/cancel                                   ContactImport
v1/imports/<uuid:id>/undo                                     ContactImport
v1/contacts
v1/contacts/<id>                                              Contact
v1/contact-fields
v1/contact-fields/<id>                                        ContactField
v1/lists
v1/lists/<id>                                                 ContactList
v1/suppressions
v1/suppressions/<id>                                          Suppression
v1/segments
v1/segments/<id>                                              Segment
v1/campaigns
v1/campaigns/<uuid:id>                                        Campaign
v1/campaigns/<uuid:id>/audience                               Campaign
v1/campaigns/<uuid:id>/preflight                              Campaign
v1/campaigns/<uuid:id>/claims                                 Campaign
v1/campaigns/<uuid:id>/preview                                Campaign
v1/campaigns/<uuid:id>/duplicate                              Campaign
v1/campaigns/<uuid:id>/versions                               Campaign
v1/campaigns/<uuid:id>/versions/<int:number>/restore          Campaign
v1/campaigns/<uuid:id>/adopt                                  Campaign
v1/campaigns/<uuid:id>/test-send                              Campaign
v1/campaigns/<uuid:id>/send                                   Campaign
v1/campaigns/<uuid:id>/schedule                               Campaign
v1/campaigns/<uuid:id>/pause                                  Campaign
v1/campaigns/<uuid:id>/resume                                 Campaign
v1/campaigns/<uuid:id>/cancel                                 Campaign
v1/campaigns/<uuid:id>/messages                               Campaign
v1/messages/in-doubt
v1/messages/settle
v1/settlements/<uuid:id>/undo                                 Settlement
v1/links/<uuid:id>                                            Link
v1/messages/<uuid:id>                                         Message
v1/messages/<uuid:id>/mark-sent                               Message
v1/messages/<uuid:id>/resend                                  Message
v1/transactional
v1/assets
v1/assets/<uuid:id>                                           Asset
v1/senders
v1/senders/<uuid:id>                                          Sender
v1/provider-settings
v1/provider-settings/<slug:provider>
v1/provider-settings/<slug:provider>/test
v1/sending-domains
v1/sending-domains/<uuid:id>                                  SendingDomain
v1/sending-domains/<uuid:id>/check                            SendingDomain
v1/sending-domains/<uuid:id>/key                              SendingDomain
v1/templates
v1/templates/<uuid:id>                                        EmailTemplate
v1/templates/<uuid:id>/versions                               EmailTemplate
v1/templates/<uuid:id>/versions/<int:number>/restore          EmailTemplate
v1/campaigns/<uuid:id>/stats                                  Campaign
v1/campaigns/<uuid:id>/links                                  Campaign
v1/campaigns/<uuid:id>/timeline                               Campaign
v1/campaigns/<uuid:id>/domains                                Campaign
v1/campaigns/<uuid:id>/live                                   Campaign
v1/campaigns/<uuid:id>/brake                                  Campaign
v1/campaigns/<uuid:id>/release                                Campaign
v1/campaigns/<uuid:id>/experiment                             Campaign
v1/campaigns/<uuid:id>/experiment/choose                      Campaign
v1/campaigns/<uuid:id>/insight                                Campaign
v1/campaigns/<uuid:id>/follow-up                              Campaign
v1/contacts/<uuid:id>/events                                  Contact
v1/events
v1/subjects/similar
v1/analytics/reclassifications
v1/analytics/reclassifications/<id>                           RuleRun
v1/goals
v1/goals/<id>                                                 Goal
v1/reports
v1/reports/<id>                                               Report
v1/reports/<uuid:id>/data                                     Report
v1/reports/<uuid:id>/schedule                                 Report
v1/reports/<uuid:id>/shares                                   Report
v1/reports/<uuid:id>/shares/<uuid:share_id>                   ReportShare
notifications
settings
settings/activity
settings/danger
settings/team
settings/team/<uuid:id>/role                                  Membership
settings/team/<uuid:id>/remove                                Membership
settings/invitations/<uuid:id>/revoke                         Invitation
settings/api-keys
settings/api-keys/<uuid:id>/revoke                            ApiKey
settings/webhooks
settings/webhooks/<uuid:id>                                   WebhookEndpoint
settings/webhooks/<uuid:id>/test                              WebhookEndpoint
settings/webhooks/<uuid:id>/toggle                            WebhookEndpoint
settings/webhooks/<uuid:id>/delete                            WebhookEndpoint
settings/webhooks/attempts/<uuid:id>/redeliver                WebhookAttempt
settings/profile
settings/profile/password
settings/profile/sessions/end
contacts
contacts/new
contacts/bulk
contacts.csv
contacts/<uuid:contact_id>                                    Contact
contacts/<uuid:contact_id>/edit                               Contact
contacts/<uuid:contact_id>/suppress                           Contact
contacts/<uuid:contact_id>/unsubscribe                        Contact
contacts/<uuid:contact_id>/delete                             Contact
contacts/<uuid:contact_id>/erase                              Contact
lists
lists/new
lists/<uuid:list_id>                                          ContactList
lists/<uuid:list_id>/delete                                   ContactList
contact-fields/new
contact-fields/<uuid:field_id>/delete                         ContactField
suppressions
suppressions/<uuid:suppression_id>/lift                       Suppression
segments
segments/new
segments/preview
segments/explain
segments/describe
segments/<uuid:segment_id>                                    Segment
segments/<uuid:segment_id>/count                              Segment
segments/<uuid:segment_id>/delete                             Segment
imports
imports/new
imports/<uuid:import_id>                                      ContactImport
imports/<uuid:import_id>/progress                             ContactImport
imports/<uuid:import_id>/rejects.csv                          ContactImport
imports/<uuid:import_id>/cancel                               ContactImport
imports/<uuid:import_id>/undo                                 ContactImport
ai
ai/budget
ai/usage
ai/calls
ai/calls.csv
ai/calls/<uuid:call_id>                                       GenerationStep
ai/keys
ai/keys/remove
ai/generations/<uuid:generation_id>                           Generation
ai/generations/<uuid:generation_id>/cancel                    Generation
ai/facts
ai/facts/<uuid:fact_id>                                         BrandFact
ai/facts/<uuid:fact_id>/delete                                  BrandFact
ai/voices/new
ai/voices
ai/voices/learn
ai/voices/learning/<uuid:generation_id>                           Generation
ai/voices/<uuid:voice_id>/edit                                    BrandVoice
ai/voices/<uuid:voice_id>/compare                                 BrandVoice
ai/voices/<uuid:voice_id>/accept                                  BrandVoice
ai/voices/<uuid:voice_id>/discard                                 BrandVoice
ai/voices/<uuid:voice_id>/lock                                    BrandVoice
ai/voices/<uuid:voice_id>/unlock                                  BrandVoice
ai/voices/<uuid:voice_id>/restore                                 BrandVoice
ai/samples/<uuid:sample_id>/delete                                BrandSample
ai/memory
ai/memory/refresh
ai/memory/<uuid:exemplar_id>/forget                               Exemplar
campaigns/voice-samples
campaigns/<uuid:campaign_id>/similar                              Campaign
v1/ai/brand-voices/learn
v1/ai/exemplars
v1/ai/exemplars/similar
v1/ai/exemplars/<uuid:id>                                         Exemplar
ai/voices/<uuid:voice_id>                                     BrandVoice
ai/voices/<uuid:voice_id>/delete                              BrandVoice
campaigns
campaigns/new
campaigns/convert
campaigns/<uuid:campaign_id>                                  Campaign
campaigns/<uuid:campaign_id>/preview                          Campaign
campaigns/<uuid:campaign_id>/versions                         Campaign
campaigns/<uuid:campaign_id>/versions/<int:number>            Campaign
campaigns/<uuid:campaign_id>/versions/<int:number>/frame      Campaign
campaigns/<uuid:campaign_id>/claims                             Campaign
campaigns/<uuid:campaign_id>/claims/withdraw                    Campaign
campaigns/<uuid:campaign_id>/brief                            Campaign
campaigns/<uuid:campaign_id>/angles                           Campaign
campaigns/<uuid:campaign_id>/duplicate                        Campaign
campaigns/<uuid:campaign_id>/delete                           Campaign
campaigns/<uuid:campaign_id>/template                         Campaign
campaigns/<uuid:campaign_id>/test                             Campaign
campaigns/<uuid:campaign_id>/test/card                        Campaign
campaigns/<uuid:campaign_id>/test/choose                      Campaign
campaigns/<uuid:campaign_id>/test/outlook                     Campaign
campaigns/<uuid:campaign_id>/review                           Campaign
campaigns/<uuid:campaign_id>/review/audience                  Campaign
campaigns/<uuid:campaign_id>/review/sender                    Campaign
campaigns/<uuid:campaign_id>/review/test                      Campaign
campaigns/<uuid:campaign_id>/review/send                      Campaign
campaigns/<uuid:campaign_id>/review/estimate                  Campaign
campaigns/<uuid:campaign_id>/review/links                     Campaign
campaigns/<uuid:campaign_id>/review/schedule                  Campaign
campaigns/<uuid:campaign_id>/review/unschedule                Campaign
campaigns/<uuid:campaign_id>/review/why                       Campaign
campaigns/<uuid:campaign_id>/review/utm                       Campaign
templates
templates/new
templates/import
templates/starters/<slug:starter>/use
templates/starters/<slug:starter>/save
templates/starters/<slug:starter>/frame
templates/<uuid:template_id>                                  EmailTemplate
templates/<uuid:template_id>/preview                          EmailTemplate
templates/<uuid:template_id>/use                              EmailTemplate
templates/<uuid:template_id>/duplicate                        EmailTemplate
templates/<uuid:template_id>/rename                           EmailTemplate
templates/<uuid:template_id>/delete                           EmailTemplate
templates/<uuid:template_id>/frame                            EmailTemplate
templates/<uuid:template_id>/versions                         EmailTemplate
templates/<uuid:template_id>/versions/<int:number>/restore    EmailTemplate
media
media/<uuid:asset_id>/describe                                Asset
media/<uuid:asset_id>/delete                                  Asset
senders
settings/brand
settings/brand/preview
settings/sending
settings/sending/installation
settings/sending/servers/new
settings/sending/servers/<uuid:server_id>                     SmtpServer
settings/sending/servers/<uuid:server_id>/remove              SmtpServer
settings/sending/<slug:provider>
settings/sending/<slug:provider>/use
settings/sending/<slug:provider>/test
settings/sending/<slug:provider>/remove
senders/<uuid:sender_id>/delete                               Sender
senders/new
senders/<uuid:sender_id>                                      Sender
senders/domains/new
senders/domains/<uuid:domain_id>                              SendingDomain
senders/domains/<uuid:domain_id>/check                        SendingDomain
senders/domains/<uuid:domain_id>/key                          SendingDomain
senders/domains/<uuid:domain_id>/delete                       SendingDomain
campaigns/<uuid:campaign_id>/messages.csv                     Campaign
messages/in-doubt
messages/in-doubt/settle
messages/in-doubt/<uuid:settlement_id>/undo                   Settlement
campaigns/<uuid:campaign_id>/messages                         Campaign
campaigns/<uuid:campaign_id>/links/repoint                    Campaign
campaigns/<uuid:campaign_id>/links/repoint/save               Campaign
messages/<uuid:message_id>/<slug:verb>                        Message
outbox
outbox.json
outbox/readers
outbox/<int:key>                                              CapturedMessage
outbox/<int:key>/body                                         CapturedMessage
outbox/<int:key>.eml                                          CapturedMessage
/
reports
reports/compare
reports/cohorts
reports/engagement
reports/<slug:kind>/file
reports/rules
reports/goals
reports/goals/new
reports/goals/<uuid:goal_id>                                  Goal
reports/goals/<uuid:goal_id>/delete                           Goal
reports/keep
reports/kept
reports/kept/<uuid:report_id>                                 Report
reports/kept/<uuid:report_id>/mail                            Report
reports/kept/<uuid:report_id>/share                           Report
reports/kept/<uuid:report_id>/delete                          Report
reports/links/<uuid:share_id>/revoke                          ReportShare
campaigns/<uuid:campaign_id>/live                             Campaign
campaigns/<uuid:campaign_id>/live/providers                   Campaign
campaigns/<uuid:campaign_id>/insight                          Campaign
campaigns/<uuid:campaign_id>/brake                            Campaign
campaigns/<uuid:campaign_id>/follow-up                        Campaign
campaigns/<uuid:campaign_id>/live/<slug:action>               Campaign
campaigns/<uuid:campaign_id>/report                           Campaign
campaigns/<uuid:campaign_id>/report.csv                       Campaign
campaigns/<uuid:campaign_id>/report.json                      Campaign
campaigns/<uuid:campaign_id>/report/links                     Campaign
campaigns/<uuid:campaign_id>/report/links/map                 Campaign
campaigns/<uuid:campaign_id>/report/recipients                Campaign
campaigns/<uuid:campaign_id>/report/recipients.csv            Campaign
campaigns/<uuid:campaign_id>/report/recipients.json           Campaign
campaigns/<uuid:campaign_id>/report/recipients/segment        Campaign
campaigns/<uuid:campaign_id>/report/bounces                   Campaign
campaigns/<uuid:campaign_id>/report/content                   Campaign
campaigns/<uuid:campaign_id>/report/content/frame             Campaign
campaigns/<uuid:campaign_id>/report/variants                  Campaign
campaigns/<uuid:campaign_id>/report/why                       Campaign
v1/campaigns/<uuid:id>/report                                 Campaign
v1/campaigns/<uuid:id>/recipients                             Campaign
v1/campaigns/<uuid:id>/bounces                                Campaign
v1/campaigns/<uuid:id>/why                                    Campaign
"""

#: Staff only.
OPERATOR_PREFIX = "admin/"

#: Values for parameters of addresses that are not ids of rows.
WORDS = {
    "verb": "mark-sent", "action": "pause", "token": "set", "uid": "x", "provider": "smtp", "number": "1",
    "starter": "sale", "kind": "overview",
}  # fmt: skip

#: Names under which bodies and queries carry ids of rows, and the model that they mean.
ID_FIELDS = {
    "brand_voice": "BrandVoice",
    "brief": "Brief",
    "campaign": "Campaign",
    "campaign_id": "Campaign",
    "campaigns": "Campaign",
    "contact": "Contact",
    "contact_ids": "Contact",
    "contacts": "Contact",
    "draft": "Draft",
    "endpoint": "WebhookEndpoint",
    "exclude_lists": "ContactList",
    "exclude_segments": "Segment",
    "field": "ContactField",
    "generation": "Generation",
    "ids": "Contact",
    "list": "ContactList",
    "lists": "ContactList",
    "members": "User",
    "message": "Message",
    "segment": "Segment",
    "segments": "Segment",
    "sender": "Sender",
    "template": "EmailTemplate",
    "user": "User",
    "variant": "Variant",
    "workspace": "Workspace",
    "workspace_id": "Workspace",
}
#: Fields that are ids in some bodies, whose schema says so, and texts in others.
SOMETIMES_IDS = {"preview_text": "Draft", "subject": "Draft"}

#: Routes by which even an analyst changes something: their own, or the mark that they have read a line.
ANALYST_WRITES = frozenset(
    {
        "notifications",
        "settings/profile",
        "settings/profile/password",
        "settings/profile/sessions/end",
        "v1/notifications/read",
        "v1/notifications/<id>/read",
    }
)


@dataclass(frozen=True)
class Listed:
    """One line of the table."""

    pattern: str
    kind: str
    model: str = ""


def listed() -> dict[str, Listed]:
    """Return the table by pattern."""
    found = {}
    for kind, text in (("public", PUBLIC), ("person", PERSON), ("tenant", TENANT)):
        for line in filter(None, text.splitlines()):
            pattern, _, model = line.partition(" ")
            assert pattern not in found, f"{pattern} is listed twice"
            found[pattern] = Listed(pattern, kind, model.strip())
    return found
