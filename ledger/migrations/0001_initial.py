import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import core.data.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LedgerAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("code", models.CharField(max_length=120, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("asset", "Asset"),
                            ("liability", "Liability"),
                            ("income", "Income"),
                            ("expense", "Expense"),
                        ],
                        max_length=9,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("may_go_negative", models.BooleanField(default=False)),
                ("posted", models.BigIntegerField(default=0)),
                ("pending_in", models.BigIntegerField(default=0)),
                ("pending_out", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "ledger_account",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("may_go_negative", True), ("posted__gte", models.F("pending_out")), _connector="OR"
                        ),
                        name="ledger_account_stays_at_or_above_zero",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pending_in__gte", 0), ("pending_out__gte", 0)),
                        name="ledger_account_pending_is_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="ledger_account_currency_is_iso"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["asset", "liability", "income", "expense"])),
                        name="ledger_account_kind_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("key", models.CharField(max_length=255)),
                (
                    "phase",
                    models.CharField(
                        choices=[("posted", "Posted"), ("reserved", "Reserved"), ("voided", "Voided")], max_length=8
                    ),
                ),
                ("kind", models.CharField(max_length=60)),
                ("reference", models.CharField(blank=True, default="", max_length=120)),
                ("description", models.CharField(blank=True, default="", max_length=255)),
                ("effective_at", models.DateTimeField()),
                ("entry_count", models.PositiveSmallIntegerField()),
                (
                    "resolves",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resolution",
                        to="ledger.posting",
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversal",
                        to="ledger.posting",
                    ),
                ),
            ],
            options={
                "db_table": "ledger_transaction",
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="ledger.ledgeraccount",
                    ),
                ),
                (
                    "posting",
                    models.ForeignKey(
                        db_column="transaction_id",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="ledger.posting",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "entries",
                "db_table": "ledger_entry",
            },
        ),
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(fields=["reference"], name="ledger_transaction_reference"),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.UniqueConstraint(fields=("key",), name="ledger_transaction_key_is_used_once"),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("phase", "posted"), ("resolves", None)),
                    models.Q(("phase", "posted"), ("reverses", None)),
                    models.Q(("phase", "reserved"), ("resolves", None), ("reverses", None)),
                    models.Q(("phase", "voided"), ("resolves__isnull", False), ("reverses", None)),
                    _connector="OR",
                ),
                name="ledger_transaction_phase_fits_its_links",
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entry_count", 0), ("phase", "voided")),
                    models.Q(models.Q(("phase", "voided"), _negated=True), ("entry_count__gte", 2)),
                    _connector="OR",
                ),
                name="ledger_transaction_has_two_entries_unless_voided",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["account", "id"], name="ledger_entry_by_account"),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(fields=("posting", "account"), name="ledger_entry_is_one_per_account"),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount", 0), _negated=True), name="ledger_entry_moves_something"
            ),
        ),
    ]
