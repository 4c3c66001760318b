"""`/v1/campaigns/{id}/experiment`: where a test stands, and sending the rest what a person chose."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.selectors.experiment import get_experiment
from analytics.services.experiments import LONGEST_REASON, choose_winner
from analytics.v1.campaigns import TAGS, CampaignFiguresView
from analytics.v1.serializers import HoldoutSerializer
from campaigns.models import Campaign, Experiment
from campaigns.selectors.campaigns import get_variant
from pulsequill.core.errors import NotFound
from pulsequill.core.rest.idempotency import idempotent


class SplitLaneSerializer(serializers.Serializer[Any]):
    """One variant in the check of the split."""

    label = serializers.CharField()  # type: ignore[assignment]
    planned = serializers.IntegerField(help_text="How many of those who were reached should have got it.")
    seen = serializers.IntegerField()


class SplitSerializer(serializers.Serializer[Any]):
    """Whether people were split as planned; if not, no figure of the test can be used."""

    is_broken = serializers.BooleanField()
    variants = SplitLaneSerializer(many=True)


class StandingSerializer(serializers.Serializer[Any]):
    """One variant beside the others."""

    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]
    subject = serializers.CharField(allow_blank=True)
    share = serializers.IntegerField()
    exposed = serializers.IntegerField(help_text="Messages of the test that were delivered.")
    converted = serializers.IntegerField(help_text="Those of them whose reader did what is counted.")
    value = serializers.IntegerField(help_text="Sum of the amounts, in minor units.")
    rate = serializers.FloatField(
        help_text="A share of 1; for revenue the mean amount of a recipient. A bandit's waves are evened out."
    )
    low = serializers.FloatField(help_text="Lower end of the 95 % credible interval.")
    high = serializers.FloatField(help_text="Upper end.")
    is_best = serializers.FloatField(help_text="The probability that no other variant is better.")
    loss = serializers.FloatField(help_text="What choosing it gives up on average, in the unit of the rate.")
    lift = serializers.FloatField(allow_null=True, help_text="Over the first variant, a share of its rate.")
    is_winner = serializers.BooleanField()
    is_leader = serializers.BooleanField()


class WaveSerializer(serializers.Serializer[Any]):
    """What was released at once."""

    at = serializers.DateTimeField()
    recipients = serializers.IntegerField()
    shares = serializers.DictField(child=serializers.FloatField())


class HeldSerializer(serializers.Serializer[Any]):
    """Who waits, or gets nothing."""

    held_for_test = serializers.IntegerField()
    held_for_canary = serializers.IntegerField()
    held_out = serializers.IntegerField(help_text="They get nothing, to compare with.")


class ExperimentSerializer(serializers.Serializer[Any]):
    """How the variants of a campaign compare."""

    mode = serializers.ChoiceField(Experiment.Mode.choices)
    metric = serializers.ChoiceField(Experiment.Metric.choices)
    goal_key = serializers.CharField(allow_blank=True)
    test_share = serializers.IntegerField()
    minimum_lift = serializers.FloatField()
    alpha = serializers.FloatField()
    decide_after_hours = serializers.IntegerField()
    chooser = serializers.ChoiceField(Experiment.Chooser.choices)
    fallback = serializers.ChoiceField(Experiment.Fallback.choices)
    name = serializers.CharField(help_text="Of the figure that decides.")
    unit = serializers.ChoiceField(["share", "money"])
    currency = serializers.CharField(allow_blank=True)
    is_launched = serializers.BooleanField()
    state = serializers.ChoiceField(Experiment.State.choices)
    outcome = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(allow_blank=True, help_text="Empty: the rule, or an API key.")
    decides_at = serializers.DateTimeField(
        allow_null=True, help_text="When time is up; null while mails of the test are leaving, and afterwards."
    )
    measured_at = serializers.DateTimeField(help_text="When the figures were taken: with the decision, or now.")
    leader = serializers.CharField(help_text="Label of the variant that is ahead, by chance or not.")
    winner = serializers.CharField(allow_null=True, help_text="Label of what the rule or a person chose.")
    p_value = serializers.FloatField(
        allow_null=True, help_text="Of the leader against its nearest rival; valid however often it is read."
    )
    is_equivalent = serializers.BooleanField(help_text="Nobody can be expected to beat the leader by what matters.")
    needed = serializers.IntegerField(
        allow_null=True, help_text="People for each variant to show the smallest lift that matters."
    )
    missing = serializers.IntegerField(allow_null=True, help_text="How many of them the smallest variant still lacks.")
    waits_for_person = serializers.BooleanField()
    can_choose = serializers.BooleanField()
    split = SplitSerializer()
    waves = WaveSerializer(many=True)
    held = HeldSerializer()
    holdout = HoldoutSerializer(allow_null=True, help_text="Null when nobody was held out.")
    variants = StandingSerializer(many=True)


class ChooseSerializer(serializers.Serializer[Any]):
    """Which variant the rest gets, and why."""

    variant = serializers.CharField(max_length=40, help_text="Label or id.")
    reason = serializers.CharField(max_length=LONGEST_REASON, required=False, allow_blank=True, default="")


_STANDING: dict[str, Any] = {
    "mode": "winner", "metric": "clicks", "goal_key": "", "test_share": 20, "minimum_lift": 0.2, "alpha": 0.05,
    "decide_after_hours": 4, "chooser": "rule", "fallback": "leader", "name": "click rate", "unit": "share",
    "currency": "", "is_launched": True, "state": "winner",
    "outcome": "B won: click rate 5.30% of 9,012, ahead of the other beyond chance (p = 0.0004, valid at every look).",
    "decided_at": "2026-06-02T11:31:00Z", "decided_by": "", "decides_at": None, "measured_at": "2026-06-02T11:31:00Z",
    "leader": "B", "winner": "B", "p_value": 0.000412, "is_equivalent": False, "needed": 21874, "missing": 12862,
    "waits_for_person": False, "can_choose": False,
    "split": {
        "is_broken": False,
        "variants": [{"label": "A", "planned": 9010, "seen": 9008}, {"label": "B", "planned": 9010, "seen": 9012}],
    },
    "waves": [{"at": "2026-06-02T11:31:00Z", "recipients": 72080, "shares": {"B": 1.0}}],
    "held": {"held_for_test": 0, "held_for_canary": 0, "held_out": 0},
    "holdout": None,
    "variants": [
        {
            "id": "0197a1d2-7c55-7c3e-9d1f-1f2e3d4c5b6a", "label": "A", "subject": "The harvest lot is here",
            "share": 50, "exposed": 9008, "converted": 369, "value": 0, "rate": 0.040964, "low": 0.037068,
            "high": 0.045248, "is_best": 0.00007, "loss": 0.012078, "lift": None, "is_winner": False,
            "is_leader": False,
        },
        {
            "id": "0197a1d2-7c55-7c3e-9d1f-1f2e3d4c5b6b", "label": "B", "subject": "Plum, cocoa, gone by Friday",
            "share": 50, "exposed": 9012, "converted": 478, "value": 0, "rate": 0.05304, "low": 0.048604,
            "high": 0.057875, "is_best": 0.99993, "loss": 0.0, "lift": 0.2948, "is_winner": True, "is_leader": True,
        },
    ],
}  # fmt: skip


class _TestView(CampaignFiguresView):
    """Base: finds the test."""

    def standing(self, campaign: Campaign) -> Response:
        """Return where the test stands.

        Raises:
            NotFound: the campaign has one variant only, so nothing is compared.
        """
        found = get_experiment(campaign)
        if not found:
            raise NotFound("This campaign has one variant, so nothing is compared.")
        return Response(ExperimentSerializer(found).data)


class ExperimentView(_TestView):
    """The comparison of the variants."""

    @extend_schema(
        tags=TAGS, summary="Compare a campaign's variants", operation_id="campaigns_experiment",
        responses=ExperimentSerializer,
        examples=[OpenApiExample("A winner", value=_STANDING, response_only=True)],
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return the rule, where each variant stands, and what came of it. 404 when there is one variant only.

        Once it was decided, these are the figures of the decision.
        """
        return self.standing(self.find(id))


class ChooseWinnerView(_TestView):
    """A person's choice."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.send"}

    @extend_schema(
        tags=TAGS, summary="Send a variant to the rest", operation_id="campaigns_experiment_choose",
        request=ChooseSerializer, responses=ExperimentSerializer,
        examples=[
            OpenApiExample("The leader", value={"variant": "B", "reason": "The sale ends tonight."}, request_only=True),
            OpenApiExample("Sent", value=_STANDING, response_only=True),
        ],
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """Mail one variant to everybody who waits for the test, before its end or because it asked for a person.

        Recorded with the reason and the person. The same choice again changes nothing; 409 when nobody waits, another
        variant was chosen, or the campaign is paused.
        """
        campaign = self.find(id)
        given = ChooseSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        variant = get_variant(campaign, given.validated_data["variant"])
        choose_winner(campaign=campaign, variant=variant, actor=self.actor, reason=given.validated_data["reason"])
        campaign.refresh_from_db(fields=["status"])
        return self.standing(campaign)
