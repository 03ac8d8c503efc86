"""What refunds and disputes give back of each fee, so that a void refund leaves the fees as they were."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("investments", "0020_approved_payments")]

    operations = [
        migrations.AddField(
            model_name="refund",
            name="fee_parts",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="dispute",
            name="fee_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
