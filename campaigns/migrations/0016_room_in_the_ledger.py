"""Every row of the ledger is rewritten twice within seconds: leave room on its page, and clean up early."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0015_settlements_of_doubt")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE campaigns_message SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02,"
            " autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0)",
            "ALTER TABLE campaigns_message RESET (fillfactor, autovacuum_vacuum_scale_factor,"
            " autovacuum_analyze_scale_factor, autovacuum_vacuum_cost_delay)",
        )
    ]
