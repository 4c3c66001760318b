from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0020_emergency_brake")]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=models.Q(("is_test", True)), fields=["workspace"], name="message_tests"),
        ),
    ]
