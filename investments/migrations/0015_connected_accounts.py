import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.clock
import core.data.ids


class Migration(migrations.Migration):
    dependencies = [
        ("investments", "0014_two_people"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ProviderPayout",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("provider", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=60)),
                ("reason", models.CharField(blank=True, default="", max_length=40)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "key"), name="provider_payout_is_one_per_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("provider", models.CharField(max_length=20)),
                ("account_id", models.CharField(max_length=100)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "person"), name="provider_account_is_one_per_person")
                ],
            },
        ),
    ]
