from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0009_goals_of_the_held_out")]

    operations = [
        migrations.AddField(
            model_name="reportmail",
            name="refusals",
            field=models.PositiveSmallIntegerField(default=0, help_text="How often the mail server has not taken it."),
        ),
        migrations.AddField(
            model_name="reportmail",
            name="retry_at",
            field=models.DateTimeField(
                blank=True, help_text="Not before then; while it is sent: since when.", null=True
            ),
        ),
    ]
