from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0005_one_index_for_a_workspaces_outbox'),
    ]

    operations = [
        migrations.RenameField(model_name='message', old_name='retry_at', new_name='due_at'),
        migrations.AlterField(
            model_name='message',
            name='due_at',
            field=models.DateTimeField(blank=True, help_text='Not before then: local time of the contact, or the next attempt; empty: now.', null=True),
        ),
    ]
