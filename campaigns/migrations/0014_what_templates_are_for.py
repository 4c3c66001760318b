"""What a template is for, so that the gallery can be filtered."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0013_pace_and_waiting")]

    operations = [
        migrations.AddField(
            model_name="emailtemplate",
            name="purpose",
            field=models.CharField(
                blank=True,
                choices=[
                    ("welcome", "Welcome"),
                    ("news", "News"),
                    ("promotion", "Promotion"),
                    ("event", "Events"),
                    ("win_back", "Bring back"),
                    ("order", "Orders"),
                    ("ask", "Feedback"),
                ],
                help_text="What it is for.",
                max_length=20,
            ),
        ),
    ]
