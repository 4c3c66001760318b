"""Where limits that several workers share keep their clock, and until when a campaign waits."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0012_domains_sign_and_bounce_once_seen"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="continues_at",
            field=models.DateTimeField(
                blank=True,
                help_text="It waits until then: outside its window, or the warm-up's day is full.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="Pace",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="An account at a provider.", max_length=80, primary_key=True, serialize=False
                    ),
                ),
                ("free_at", models.DateTimeField()),
            ],
        ),
    ]
