from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0007_windows_and_local_time'),
    ]

    operations = [
        migrations.AddField(
            model_name='sendingdomain',
            name='dkim_private_key_encrypted',
            field=models.BinaryField(blank=True, help_text='Signs mail of our own SMTP.', null=True),
        ),
        migrations.AddField(
            model_name='sendingdomain',
            name='dkim_public_key',
            field=models.TextField(blank=True, help_text="Base64 of the key's DER form, as in the DNS record."),
        ),
        migrations.AddField(
            model_name='sendingdomain',
            name='dkim_selector',
            field=models.CharField(blank=True, help_text='Where our public key is published.', max_length=63),
        ),
    ]
