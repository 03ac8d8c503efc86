"""What investors and the owner of a campaign pay, fixed when it is published (campaigns/fees)."""

from django.db import migrations, models

from campaigns.migrations._rules_fees import FEES_ARE_KEPT


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0012_amendments")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="fee_schedule",
            field=models.CharField(db_default="none", default="none", max_length=20),
        ),
        migrations.AddField(
            model_name="campaign",
            name="fee_schedule_version",
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
        migrations.RunSQL(FEES_ARE_KEPT, migrations.RunSQL.noop),
    ]
