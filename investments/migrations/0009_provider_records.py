import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import core.clock
import core.data.ids
from investments.migrations._rules_events import EVENTS_ARE_KEPT


class Migration(migrations.Migration):
    dependencies = [
        ("investments", "0008_returns"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ProviderCharge",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("provider", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=60)),
                ("charge_id", models.CharField(blank=True, default="", max_length=100)),
                ("reason", models.CharField(blank=True, default="", max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="ProviderCustomer",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("provider", models.CharField(max_length=20)),
                ("customer_id", models.CharField(max_length=100)),
            ],
        ),
        migrations.CreateModel(
            name="ProviderRefund",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("provider", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=60)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="providerevent",
            name="provider_event_outcome_is_known",
        ),
        migrations.AddField(
            model_name="providerevent",
            name="reported",
            field=models.CharField(blank=True, db_default="", default="", max_length=15),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="providerevent",
                    name="outcome",
                    field=models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("applied", "Applied"),
                            ("ignored", "Ignored"),
                            ("set_aside", "Set Aside"),
                        ],
                        max_length=10,
                    ),
                ),
            ]
        ),
        AddConstraintNotValid(
            model_name="providerevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["received", "applied", "ignored", "set_aside"])),
                name="provider_event_outcome_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="providercharge",
            constraint=models.UniqueConstraint(fields=("provider", "key"), name="provider_charge_is_one_per_key"),
        ),
        migrations.AddConstraint(
            model_name="providercharge",
            constraint=models.CheckConstraint(
                condition=models.Q(("charge_id", ""), ("reason", ""), _connector="XOR"),
                name="provider_charge_exists_or_says_why_not",
            ),
        ),
        migrations.AddField(
            model_name="providercustomer",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="providerrefund",
            constraint=models.UniqueConstraint(fields=("provider", "key"), name="provider_refund_is_one_per_key"),
        ),
        migrations.AddConstraint(
            model_name="providercustomer",
            constraint=models.UniqueConstraint(
                fields=("provider", "person"), name="provider_customer_is_one_per_person"
            ),
        ),
        migrations.RunSQL(EVENTS_ARE_KEPT, migrations.RunSQL.noop),
    ]
