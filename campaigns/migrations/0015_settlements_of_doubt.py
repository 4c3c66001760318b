import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import pulsequill.core.ids


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("campaigns", "0014_what_templates_are_for"),
    ]

    operations = [
        migrations.CreateModel(
            name="Settlement",
            fields=[
                ("id", models.UUIDField(default=pulsequill.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("batch", models.UUIDField(db_index=True)),
                ("verb", models.CharField(choices=[("marked_sent", "Marked as sent"), ("resent", "Sent again")], max_length=12)),
                ("actor_label", models.CharField(help_text="Who it was, also when that person is gone.", max_length=160)),
                ("was_status", models.CharField(max_length=10)),
                ("was_reason", models.CharField(blank=True, max_length=200)),
                ("was_code", models.CharField(blank=True, max_length=60)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                ("actor", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("message", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="settlements", to="campaigns.message")),
                ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
            ],
            options={"ordering": ["created_at"]},
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=models.Q(("status", "in_doubt")), fields=["workspace", "-id"], name="message_in_doubt"),
        ),
    ]
