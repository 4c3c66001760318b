import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_captured_message_without_workspace")]

    operations = [
        migrations.AlterField(
            model_name="campaign",
            name="sender",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="campaigns.sender",
            ),
        ),
    ]
