from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0021_tests_found_at_once")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="dead_urls",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Addresses that led nowhere when the brake stopped it; "
                "whoever resumes it accepts them as they are.",
            ),
        ),
    ]
