"""How often a goal was reached on each day, whoever it is owed to."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantManager


class GoalDay(models.Model):
    """Absolute counts of one goal and day on the workspace's calendar; what no mail is owed counts here too."""

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    goal = models.ForeignKey("analytics.Goal", on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    currency = models.CharField(max_length=3, blank=True)
    times = models.PositiveIntegerField(default=0)
    value = models.BigIntegerField(default=0, help_text="Sum, in minor units.")
    owed_times = models.PositiveIntegerField(default=0, help_text="Of them owed to a mail.")
    owed_value = models.BigIntegerField(default=0)

    objects = TenantManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["goal", "day", "currency"], name="goal_day_unique")]
        indexes = [models.Index(fields=["workspace", "day"], name="goal_day_of_workspace")]

    def __str__(self) -> str:
        return f"{self.goal_id} {self.day}"
