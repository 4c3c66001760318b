"""Everything that checks look at, gathered once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import Workspace
from audiences import selectors as audiences
from campaigns.content.compile import Compiled, compile_variant
from campaigns.models import Campaign, Sender, Variant
from campaigns.preflight.link_answers import LinkAnswer, known_answers, web_addresses
from campaigns.selectors.campaigns import audience_of
from campaigns.selectors.finish import Estimate, estimate
from campaigns.selectors.waves import count_held_out
from pulsequill.core.errors import Invalid


@dataclass
class Examined:
    """A campaign under examination. Expensive parts are worked out when a check first asks for them."""

    campaign: Campaign
    workspace: Workspace
    variants: list[Variant]
    #: Variant label -> why it cannot be compiled.
    broken: dict[str, Invalid] = field(default_factory=dict)

    @classmethod
    def of(cls, campaign: Campaign) -> Examined:
        """Gather a campaign with its variants, as they are stored."""
        variants = sorted(campaign.variants.all(), key=lambda variant: variant.label)
        return cls(campaign, campaign.workspace, variants)

    @cached_property
    def compiled(self) -> dict[str, Compiled]:
        """Variant label -> what would be sent. Variants that do not compile are in `broken`."""
        result: dict[str, Compiled] = {}
        for variant in self.variants:
            try:
                result[variant.label] = compile_variant(
                    variant=variant, campaign=self.campaign, workspace=self.workspace, has_tracking=False
                )
            except Invalid as refusal:
                self.broken[variant.label] = refusal
        return result

    @cached_property
    def senders(self) -> dict[Sender, str]:
        """Whom the mail comes from -> which variants do, such as " in variant B"; empty words for the only sender."""
        found: dict[Sender, list[str]] = {}
        for variant in self.variants:
            if variant.comes_from is not None:
                found.setdefault(variant.comes_from, []).append(variant.label)
        return {sender: self.naming(" and ".join(labels)) if len(found) > 1 else "" for sender, labels in found.items()}

    @cached_property
    def tags(self) -> dict[str, audiences.MergeTag]:
        """The workspace's personal merge tags."""
        return audiences.known_merge_tags(self.workspace)

    @cached_property
    def chosen(self) -> dict[str, Any]:
        """The lists and segments that are chosen and excluded."""
        return audience_of(self.campaign)

    @property
    def has_audience(self) -> bool:
        """Whether any list or segment is chosen."""
        return bool(self.chosen["lists"] or self.chosen["segments"])

    @cached_property
    def count(self) -> audiences.AudienceCount:
        """Who would get it, and who not and why."""
        if not self.has_audience:
            return audiences.AudienceCount(included=0, skipped={})
        return audiences.count_audience(**self.chosen)

    @cached_property
    def held_out(self) -> int:
        """How many of those who could get it are held out, to compare with."""
        return count_held_out(self.campaign) if self.has_audience else 0

    @cached_property
    def estimate(self) -> Estimate | None:
        """When it would be done; None when nobody gets it or it never ends."""
        return estimate(self.campaign, included=self.count.included, now=timezone.now())

    @cached_property
    def urls(self) -> list[str]:
        """Every web address that readers can follow or that shows a picture, once each."""
        return list(dict.fromkeys(url for compiled in self.compiled.values() for url in web_addresses(compiled.html)))

    @cached_property
    def answers(self) -> dict[str, LinkAnswer]:
        """What the addresses answered when they were last asked; those not asked yet are missing."""
        return known_answers(self.workspace.pk, self.urls)

    def naming(self, label: str) -> str:
        """Return "in variant B" when there is more than one."""
        return f" in variant {label}" if len(self.variants) > 1 else ""

    def contacts(self, **query: str) -> str:
        """Return the address of the contact list, narrowed to some of the recipients."""
        only = [*self.chosen["lists"]] if len(self.chosen["lists"]) == 1 and not self.chosen["segments"] else []
        narrowed = {**query, **({"list": str(only[0])} if only else {})}
        return f"{reverse('audiences:contact_list')}?{urlencode(narrowed)}"

    def page(self, name: str, anchor: str = "") -> str:
        """Return the address of a page that mends something; '' when this installation has no such page."""
        try:
            url = reverse(name, args=[self.campaign.pk] if name.startswith("campaigns:") else [])
        except NoReverseMatch:
            return ""
        return f"{url}#{anchor}" if anchor else url

    @property
    def composer(self) -> str:
        """Where content is mended."""
        return self.page("campaigns:composer", "mail")

    @property
    def review(self) -> str:
        """Where sender and audience are chosen."""
        return self.page("campaigns:review", "audience")
