import django.core.validators
import django.db.models.deletion
import pulsequill.core.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_sign_in_address_unique'),
        ('campaigns', '0008_dkim_keys'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProviderSettings',
            fields=[
                ('id', models.UUIDField(default=pulsequill.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('provider', models.CharField(help_text='A key of `delivery.providers.PROVIDERS`.', max_length=20)),
                ('is_active', models.BooleanField(default=False)),
                ('options', models.JSONField(blank=True, default=dict, help_text='What is not secret, such as an address.')),
                ('secret_encrypted', models.BinaryField(blank=True, help_text='An API key; written, never shown.', null=True)),
                ('rate_per_second', models.PositiveIntegerField(blank=True, help_text='Empty: as fast as it takes mail.', null=True)),
                ('warm_up_start_date', models.DateField(blank=True, help_text='First day of a warm-up; empty: none.', null=True)),
                ('warm_up_plan', models.JSONField(blank=True, default=list, help_text='Most messages for each day from the first on.')),
                ('tested_at', models.DateTimeField(blank=True, null=True)),
                ('test_error', models.CharField(blank=True, help_text='What the last test said; empty: it worked.', max_length=300)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='SmtpServer',
            fields=[
                ('id', models.UUIDField(default=pulsequill.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('host', models.CharField(max_length=253)),
                ('port', models.PositiveIntegerField(default=587, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(65535)])),
                ('security', models.CharField(choices=[('starttls', 'STARTTLS'), ('tls', 'TLS'), ('none', 'None')], default='starttls', max_length=8)),
                ('username', models.CharField(blank=True, max_length=254)),
                ('password_encrypted', models.BinaryField(blank=True, null=True)),
                ('weight', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('max_connections', models.PositiveSmallIntegerField(default=8, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(200)])),
                ('messages_per_connection', models.PositiveIntegerField(default=0, help_text='After so many messages a connection is closed and opened anew; 0: never.')),
                ('settings', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='servers', to='campaigns.providersettings')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
            ],
        ),
        migrations.AddConstraint(
            model_name='providersettings',
            constraint=models.UniqueConstraint(fields=('workspace', 'provider'), name='provider_settings_unique'),
        ),
        migrations.AddConstraint(
            model_name='providersettings',
            constraint=models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('workspace',), name='provider_settings_one_active'),
        ),
        migrations.AddConstraint(
            model_name='smtpserver',
            constraint=models.UniqueConstraint(fields=('settings', 'host', 'port'), name='smtp_server_unique'),
        ),
    ]
