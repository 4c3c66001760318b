from django.db import migrations


class Migration(migrations.Migration):
    """Hand the table over, with its rows; `campaigns` 0018 takes it into its state."""

    dependencies = [
        ("analytics", "0003_goal_events"),
        ("campaigns", "0017_drafting_by_the_calendar"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE analytics_experiment RENAME TO campaigns_experiment",
                    "ALTER TABLE campaigns_experiment RENAME TO analytics_experiment",
                )
            ],
            state_operations=[migrations.DeleteModel("Experiment")],
        )
    ]
