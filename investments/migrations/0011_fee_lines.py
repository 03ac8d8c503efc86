"""The fees of each payment, and those that owners pay out of what is released."""

import django.db.models.deletion
from django.db import migrations, models

import core.clock
import core.data.ids
from investments.migrations._rules_fees import LINES_ARE_KEPT


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0013_fee_schedule"),
        ("investments", "0010_fee_amounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeeLine",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("fee", models.CharField(max_length=40)),
                (
                    "kind",
                    models.CharField(
                        choices=[("platform", "platform"), ("provider", "provider"), ("tax", "tax")], max_length=10
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("amount_minor", models.BigIntegerField()),
                ("of_minor", models.BigIntegerField()),
                ("refunded_of_minor", models.BigIntegerField(default=0)),
                ("refunded_minor", models.BigIntegerField(default=0)),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fee_lines",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fee_lines",
                        to="investments.payment",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["campaign", "kind"], name="fee_line_by_campaign")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("payment__isnull", False)),
                        fields=("payment", "fee"),
                        name="fee_line_is_one_per_payment",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("payment", None)),
                        fields=("campaign", "fee"),
                        name="fee_line_is_one_per_release",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["platform", "provider", "tax"])), name="fee_line_kind_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0), ("of_minor__gt", 0)),
                        name="fee_line_amount_is_above_zero",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("refunded_minor__gte", 0),
                            ("refunded_minor__lte", models.F("amount_minor")),
                            ("refunded_of_minor__gte", 0),
                            ("refunded_of_minor__lte", models.F("of_minor")),
                        ),
                        name="fee_line_gives_back_no_more_than_it_took",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("payment__isnull", False), ("refunded_minor", 0), _connector="OR"),
                        name="fee_line_of_an_owner_stays",
                    ),
                ],
            },
        ),
        migrations.RunSQL(LINES_ARE_KEPT, migrations.RunSQL.noop),
    ]
