"""A send dates each contact's last mail: with room on its page the row moves no index entry (a HOT update)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audiences", "0007_look_up_suppressions_by_address_only")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE audiences_contact SET (fillfactor = 75)", "ALTER TABLE audiences_contact RESET (fillfactor)"
        )
    ]
