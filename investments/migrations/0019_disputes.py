import django.db.models.deletion
import django.db.models.expressions
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import core.clock
import core.data.ids
from investments.migrations._rules_disputes import STEPS


class Migration(migrations.Migration):
    dependencies = [
        ("investments", "0018_risk_cases"),
        ("ledger", "0002_seals"),
    ]

    operations = [
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("provider", models.CharField(max_length=20)),
                ("provider_id", models.CharField(max_length=100)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")], default="open", max_length=10
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("held_minor", models.BigIntegerField()),
                ("is_released", models.BooleanField()),
                ("payable_minor", models.BigIntegerField(default=0)),
                ("refund_minor", models.BigIntegerField(default=0)),
                ("restored_minor", models.BigIntegerField(default=0)),
                ("voided_minor", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="SandboxDispute",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("amount_minor", models.BigIntegerField()),
                ("reason", models.CharField(max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")], default="open", max_length=10
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RemoveConstraint(
            model_name="distributioncharge",
            name="distribution_charge_status_is_known",
        ),
        migrations.RemoveConstraint(
            model_name="refund",
            name="refund_status_is_known",
        ),
        migrations.AddField(
            model_name="payment",
            name="disputed_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="providerevent",
            name="dispute_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="sandboxcharge",
            name="disputed_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="sandboxcharge",
            name="open_disputes",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="distributioncharge",
                    name="status",
                    field=models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("requires_action", "Requires Action"),
                            ("captured", "Captured"),
                            ("failed", "Failed"),
                            ("refunding", "Refunding"),
                            ("refunded", "Refunded"),
                            ("disputed", "Disputed"),
                        ],
                        default="pending",
                        max_length=15,
                    ),
                ),
                migrations.AlterField(
                    model_name="refund",
                    name="reason",
                    field=models.CharField(
                        choices=[
                            ("campaign_failed", "Campaign Failed"),
                            ("campaign_cancelled", "Campaign Cancelled"),
                            ("withdrawn", "Withdrawn"),
                            ("not_reconfirmed", "Not Reconfirmed"),
                            ("by_staff", "By Staff"),
                            ("no_room", "No Room"),
                        ],
                        max_length=20,
                    ),
                ),
                migrations.AlterField(
                    model_name="refund",
                    name="status",
                    field=models.CharField(
                        choices=[("pending", "Pending"), ("refunded", "Refunded"), ("voided", "Voided")],
                        default="pending",
                        max_length=10,
                    ),
                ),
            ]
        ),
        AddConstraintNotValid(
            model_name="distributioncharge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["pending", "requires_action", "captured", "failed", "refunding", "refunded", "disputed"],
                    )
                ),
                name="distribution_charge_status_is_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("disputed_minor__gte", 0),
                    (
                        "disputed_minor__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("captured_minor"), "-", models.F("refunded_minor")
                        ),
                    ),
                ),
                name="payment_holds_no_less_than_nothing",
            ),
        ),
        AddConstraintNotValid(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "refunded", "voided"])), name="refund_status_is_known"
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="distribution_charge",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="disputes",
                to="investments.distributioncharge",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="freeze",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.posting",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="opening",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.posting"
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="payment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="disputes",
                to="investments.payment",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="reversal",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.posting",
            ),
        ),
        migrations.AddField(
            model_name="sandboxdispute",
            name="charge",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="investments.sandboxcharge"
            ),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(condition=models.Q(("status", "open")), fields=["payment"], name="dispute_open"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(fields=("provider", "provider_id"), name="dispute_is_recorded_once"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "won", "lost"])), name="dispute_status_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("payment", None), ("distribution_charge", None), _connector="XOR"),
                name="dispute_is_about_one_charge",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("status", "open")),
                    models.Q(models.Q(("status", "open"), _negated=True), ("closed_at__isnull", False)),
                    _connector="OR",
                ),
                name="dispute_is_closed_at_a_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_minor__gt", 0),
                    ("held_minor__gte", 0),
                    ("payable_minor__gte", 0),
                    ("refund_minor__gte", 0),
                    (
                        "amount_minor__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("held_minor"), "+", models.F("refund_minor")
                        ),
                    ),
                    (
                        "amount_minor__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("payable_minor"), "+", models.F("refund_minor")
                        ),
                    ),
                ),
                name="dispute_parts_are_of_its_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("restored_minor__gte", 0), ("restored_minor__lte", models.F("held_minor")), ("status", "won")
                    ),
                    ("restored_minor", 0),
                    _connector="OR",
                ),
                name="dispute_restores_no_more_than_it_froze",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reversal__isnull", False), ("status", "won")),
                    models.Q(models.Q(("status", "won"), _negated=True), ("reversal", None)),
                    _connector="OR",
                ),
                name="dispute_is_won_through_the_books",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="settlement",
            name="settlement_pays_no_more_than_was_released",
        ),
        migrations.AddField(
            model_name="settlement",
            name="late_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        AddConstraintNotValid(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    gross_minor__gt=0,
                    fees_minor__gte=0,
                    withheld_minor__gte=0,
                    paid_minor__gte=0,
                    late_minor__gte=0,
                    paid_minor__lte=models.F("gross_minor")
                    + models.F("late_minor")
                    - models.F("fees_minor")
                    - models.F("withheld_minor"),
                ),
                name="settlement_pays_no_more_than_was_released",
            ),
        ),
        migrations.RunSQL(STEPS, migrations.RunSQL.noop),
    ]
