import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sign_in_address_unique"),
        ("campaigns", "0004_transactional_messages"),
    ]

    operations = [
        migrations.AlterField(
            model_name="capturedmessage",
            name="workspace",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Empty for system mail such as password resets, which only operators see.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.workspace",
            ),
        ),
    ]
