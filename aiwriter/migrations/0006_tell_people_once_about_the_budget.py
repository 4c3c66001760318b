from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("aiwriter", "0005_voices_have_evidence_and_paragraphs_are_found_again")]

    operations = [
        migrations.AddField(
            model_name="budget",
            name="warned_month",
            field=models.DateField(
                blank=True,
                help_text="First day of the month in which people were told that it is nearly used up.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="stopped_month",
            field=models.DateField(
                blank=True,
                help_text="First day of the month in which people were told that the writer stopped.",
                null=True,
            ),
        ),
    ]
