import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.clock
import core.data.ids
from investments.migrations import _rules_two_people


class Migration(migrations.Migration):
    reviewed_locks = "The choices of a refund's reason are Python's; the column stays as it is."

    dependencies = [
        ("investments", "0013_settlements"),
        ("ledger", "0002_seals"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="payout",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="payout",
            name="people_needed",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="refund",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="people_needed",
            field=models.SmallIntegerField(db_default=0, default=0),
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
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="Correction",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("lines", models.JSONField(blank=True, default=list)),
                ("reason", models.CharField(max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("booked", "Booked"), ("rejected", "Rejected")],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.CharField(blank=True, default="", max_length=500)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "original",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.posting"
                    ),
                ),
                (
                    "posting",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.posting",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["proposed", "booked", "rejected"])),
                        name="correction_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("posting__isnull", False), ("status", "booked")),
                            models.Q(models.Q(("status", "booked"), _negated=True), ("posting", None)),
                            _connector="OR",
                        ),
                        name="correction_is_booked_as_a_posting",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="correction_is_decided_by_another_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "booked"), _negated=True),
                            ("decided_by__isnull", False),
                            _connector="OR",
                        ),
                        name="correction_is_approved_by_somebody",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "proposed")),
                        fields=("original",),
                        name="correction_is_one_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StaffRefund",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("approved", "Approved"), ("rejected", "Rejected")],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("answer", models.CharField(blank=True, default="", max_length=500)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "investment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="staff_refunds",
                        to="investments.investment",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="staff_refund",
                        to="investments.refund",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["proposed", "approved", "rejected"])),
                        name="staff_refund_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="staff_refund_amount_is_above_zero"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("refund__isnull", False), ("status", "approved")),
                            models.Q(models.Q(("status", "approved"), _negated=True), ("refund", None)),
                            _connector="OR",
                        ),
                        name="staff_refund_becomes_a_refund",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "proposed")),
                        fields=("investment",),
                        name="staff_refund_is_one_at_a_time",
                    ),
                ],
            },
        ),
        migrations.RunSQL(_rules_two_people.STEPS, migrations.RunSQL.noop),
        migrations.RunSQL(_rules_two_people.INVESTED_ENDS_REFUNDED, migrations.RunSQL.noop),
    ]
