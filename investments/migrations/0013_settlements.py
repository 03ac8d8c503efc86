import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import core.clock
import core.data.ids
from investments.migrations import _rules_settlements


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0012_amendments"),
        ("investments", "0012_under_way_index"),
        ("ledger", "0002_seals"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SandboxTarget",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("key", models.CharField(max_length=60, unique=True)),
                ("token", models.CharField(max_length=255)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PayoutTarget",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("unverified", "Unverified"), ("verified", "Verified"), ("rejected", "Rejected")],
                        default="unverified",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=40)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "method",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_targets",
                        to="investments.paymentmethod",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_targets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("currency", models.CharField(max_length=3)),
                ("gross_minor", models.BigIntegerField()),
                ("fees_minor", models.BigIntegerField(default=0)),
                ("withheld_minor", models.BigIntegerField(default=0)),
                ("paid_minor", models.BigIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting_for_target", "Waiting For Target"),
                            ("waiting_for_approval", "Waiting For Approval"),
                            ("approved", "Approved"),
                            ("paying", "Paying"),
                            ("paid", "Paid"),
                        ],
                        default="waiting_for_target",
                        max_length=20,
                    ),
                ),
                ("because", models.CharField(blank=True, default="", max_length=40)),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("revision", models.PositiveIntegerField(default=0)),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="settlement", to="campaigns.campaign"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SettlementPayment",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("attempt", models.PositiveSmallIntegerField()),
                ("provider", models.CharField(max_length=20)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("paid", "Paid"), ("failed", "Failed")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("provider_id", models.CharField(blank=True, default="", max_length=100)),
                ("failure_code", models.CharField(blank=True, default="", max_length=40)),
                ("updated_at", models.DateTimeField()),
                (
                    "reservation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.posting"
                    ),
                ),
                (
                    "settlement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="investments.settlement",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="investments.payouttarget",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "subject_kind",
                    models.CharField(
                        choices=[
                            ("settlement", "Settlement"),
                            ("refund", "Refund"),
                            ("payout", "Payout"),
                            ("staff_refund", "Staff Refund"),
                            ("correction", "Correction"),
                        ],
                        max_length=12,
                    ),
                ),
                ("subject_id", models.UUIDField()),
                ("digest", models.CharField(max_length=64)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("subject_kind__in", ["settlement", "refund", "payout", "staff_refund", "correction"])
                        ),
                        name="approval_subject_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="approval_digest_is_sha256"
                    ),
                    models.UniqueConstraint(
                        fields=("subject_kind", "subject_id", "digest", "person"), name="approval_is_one_per_person"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="payouttarget",
            index=models.Index(
                condition=models.Q(("removed_at", None), ("status", "unverified")),
                fields=["created_at"],
                name="payout_target_to_verify",
            ),
        ),
        migrations.AddConstraint(
            model_name="payouttarget",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["unverified", "verified", "rejected"])),
                name="payout_target_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payouttarget",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "verified"), ("verified_at__isnull", False)),
                    models.Q(models.Q(("status", "verified"), _negated=True), ("verified_at", None)),
                    _connector="OR",
                ),
                name="payout_target_is_verified_at_a_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="payouttarget",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at", None)), fields=("owner",), name="payout_target_is_one_per_person"
            ),
        ),
        migrations.AddIndex(
            model_name="settlement",
            index=models.Index(
                condition=models.Q(("status", "paid"), _negated=True), fields=["id"], name="settlement_not_paid"
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["waiting_for_target", "waiting_for_approval", "approved", "paying", "paid"])
                ),
                name="settlement_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fees_minor__gte", 0),
                    ("gross_minor__gt", 0),
                    (
                        "gross_minor__gte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("fees_minor"), "+", models.F("withheld_minor")
                            ),
                            "+",
                            models.F("paid_minor"),
                        ),
                    ),
                    ("paid_minor__gte", 0),
                    ("withheld_minor__gte", 0),
                ),
                name="settlement_pays_no_more_than_was_released",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("paid_at__isnull", False), ("status", "paid")),
                    models.Q(models.Q(("status", "paid"), _negated=True), ("paid_at", None)),
                    _connector="OR",
                ),
                name="settlement_is_paid_at_a_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "paid", "failed"])),
                name="settlement_payment_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="settlement_payment_amount_is_above_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementpayment",
            constraint=models.UniqueConstraint(
                fields=("settlement", "attempt"), name="settlement_payment_is_one_per_attempt"
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementpayment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "pending")),
                fields=("settlement",),
                name="settlement_payment_is_one_at_a_time",
            ),
        ),
        migrations.RunSQL(_rules_settlements.STEPS_AND_AMOUNTS, migrations.RunSQL.noop),
    ]
