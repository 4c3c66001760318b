import django.db.models.deletion
from django.db import migrations, models

import pulsequill.core.ids


class Migration(migrations.Migration):
    """Take the table that `analytics` 0004 has handed over into the state."""

    dependencies = [
        ("campaigns", "0017_drafting_by_the_calendar"),
        ("analytics", "0004_experiments_belong_to_campaigns"),
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Experiment",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=pulsequill.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        (
                            "metric",
                            models.CharField(
                                choices=[("clicks", "Human clicks"), ("opens", "Human opens")],
                                default="clicks",
                                max_length=10,
                            ),
                        ),
                        ("decided_at", models.DateTimeField(blank=True, null=True)),
                        ("outcome", models.CharField(blank=True, max_length=300)),
                        (
                            "campaign",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="experiment",
                                to="campaigns.campaign",
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="accounts.workspace",
                            ),
                        ),
                    ],
                    options={"abstract": False},
                )
            ]
        )
    ]
