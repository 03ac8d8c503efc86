"""What an investor pays on top of an investment, and what a refund gives back of it."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from investments.migrations._rules_fees import AMOUNTS_ARE_KEPT


class Migration(migrations.Migration):
    dependencies = [("investments", "0009_provider_records")]

    operations = [
        migrations.AddField(
            model_name="payment", name="fee_minor", field=models.BigIntegerField(db_default=0, default=0)
        ),
        migrations.AddField(
            model_name="refund", name="fee_minor", field=models.BigIntegerField(db_default=0, default=0)
        ),
        AddConstraintNotValid(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("fee_minor__gte", 0)), name="payment_fee_is_not_negative"
            ),
        ),
        AddConstraintNotValid(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("fee_minor__gte", 0)), name="refund_fee_is_not_negative"
            ),
        ),
        migrations.RunSQL(AMOUNTS_ARE_KEPT, migrations.RunSQL.noop),
    ]
