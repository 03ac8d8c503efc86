"""What payment providers take for themselves, line by line of their statements."""

from django.db import migrations, models

import core.clock
import core.data.ids
from investments.migrations._rules_fees import PROVIDER_FEES_ARE_KEPT


class Migration(migrations.Migration):
    dependencies = [
        ("investments", "0015_connected_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProviderFee",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("provider", models.CharField(max_length=20)),
                ("line_id", models.CharField(max_length=100)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("taken_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "line_id"), name="provider_fee_is_one_per_line"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor", 0), _negated=True), name="provider_fee_is_not_nothing"
                    ),
                ],
            },
        ),
        migrations.RunSQL(PROVIDER_FEES_ARE_KEPT, migrations.RunSQL.noop),
    ]
