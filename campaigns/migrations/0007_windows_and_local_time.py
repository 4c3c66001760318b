from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0006_messages_due_at_a_time'),
    ]

    operations = [
        migrations.AddField(
            model_name='campaign',
            name='send_window',
            field=models.JSONField(blank=True, default=dict, help_text='`{weekdays: [1..7], from: HH:MM, to: HH:MM}`; empty: at any time.'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='timezone_mode',
            field=models.CharField(choices=[('workspace', 'Everybody at the same moment'), ('contact', 'Everybody at this time where they are')], default='workspace', max_length=10),
        ),
    ]
