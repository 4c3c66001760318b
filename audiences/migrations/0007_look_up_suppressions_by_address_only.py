import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sign_in_address_unique"),
        ("audiences", "0006_check_only_the_keys_that_say_something"),
    ]

    operations = [
        migrations.AlterField(
            model_name="suppression",
            name="workspace",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.workspace",
            ),
        ),
    ]
