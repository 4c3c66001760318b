from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0010_content_versions'),
    ]

    operations = [
        migrations.AddField(
            model_name='providersettings',
            name='secret_set_at',
            field=models.DateTimeField(blank=True, help_text='All that is shown of the secret.', null=True),
        ),
        migrations.AddField(
            model_name='smtpserver',
            name='password_set_at',
            field=models.DateTimeField(blank=True, help_text='All that is shown of the password.', null=True),
        ),
    ]
