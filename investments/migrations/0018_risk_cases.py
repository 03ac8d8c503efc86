import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.clock
import core.data.ids


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0012_amendments"),
        ("investments", "0017_events_to_apply"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChargeOrigin",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("address", models.CharField(max_length=64)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="paymentmethod",
            name="fingerprint",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.CreateModel(
            name="Decline",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("key", models.CharField(max_length=60, unique=True)),
                ("card", models.CharField(max_length=64)),
                ("address", models.CharField(blank=True, default="", max_length=64)),
                ("reason", models.CharField(max_length=40)),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["card", "created_at"], name="decline_by_card"),
                    models.Index(fields=["person", "created_at"], name="decline_by_person"),
                    models.Index(
                        condition=models.Q(("address", ""), _negated=True),
                        fields=["address", "created_at"],
                        name="decline_by_address",
                    ),
                    models.Index(fields=["campaign", "created_at"], name="decline_by_campaign"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RiskCase",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("rule", models.CharField(max_length=40)),
                ("rules_version", models.CharField(max_length=20)),
                ("counted", models.CharField(max_length=10)),
                ("subject", models.CharField(max_length=64)),
                ("failures", models.PositiveIntegerField()),
                ("limit", models.PositiveIntegerField()),
                ("window_seconds", models.PositiveIntegerField()),
                ("charges", models.JSONField(default=list)),
                (
                    "consequence",
                    models.CharField(choices=[("suspend_method", "Suspend Method"), ("hold", "Hold")], max_length=20),
                ),
                ("card", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("lifted", "Lifted"), ("kept", "Kept"), ("banned", "Banned")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
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
                    "method",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="risk_cases",
                        to="investments.paymentmethod",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="risk_cases",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "banned")), fields=["card"], name="risk_case_by_banned_card"
                    ),
                    models.Index(
                        condition=models.Q(("status", "open")), fields=["created_at"], name="risk_case_to_decide"
                    ),
                    models.Index(
                        condition=models.Q(("status", "lifted")), fields=["rule", "subject"], name="risk_case_lifted"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["open", "lifted", "kept", "banned"])),
                        name="risk_case_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("consequence__in", ["suspend_method", "hold"])),
                        name="risk_case_consequence_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decided_by", None), ("status", "open")),
                            models.Q(
                                models.Q(("status", "open"), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="risk_case_is_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("person")), _negated=True),
                            _connector="OR",
                        ),
                        name="risk_case_is_not_decided_by_its_person",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("consequence", "suspend_method"), ("status__in", ["open", "kept"])),
                        fields=("person", "card"),
                        name="risk_case_suspends_a_card_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("consequence", "hold"), ("status__in", ["open", "kept"])),
                        fields=("person",),
                        name="risk_case_holds_a_person_once",
                    ),
                ],
            },
        ),
    ]
