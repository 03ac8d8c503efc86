"""An investor may give up a payment that waits for them; one may wait per campaign and person."""

from django.conf import settings
from django.db import migrations, models

STEPS = """
CREATE OR REPLACE FUNCTION investments_guard_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (TG_TABLE_NAME, OLD.status, NEW.status) NOT IN (
        ('investments_investment', 'pending', 'requires_action'),
        ('investments_investment', 'pending', 'committed'),
        ('investments_investment', 'pending', 'failed'),
        ('investments_investment', 'requires_action', 'committed'),
        ('investments_investment', 'requires_action', 'failed'),
        ('investments_investment', 'requires_action', 'cancelled'),
        ('investments_investment', 'committed', 'invested'),
        ('investments_investment', 'committed', 'refunded'),
        ('investments_investment', 'committed', 'cancelled'),
        ('investments_payment', 'pending', 'requires_action'),
        ('investments_payment', 'pending', 'captured'),
        ('investments_payment', 'pending', 'failed'),
        ('investments_payment', 'requires_action', 'captured'),
        ('investments_payment', 'requires_action', 'failed'),
        ('investments_refund', 'pending', 'refunded')
    ) THEN
        RAISE EXCEPTION '% does not go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
"""
STEPS_BEFORE = """
CREATE OR REPLACE FUNCTION investments_guard_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (TG_TABLE_NAME, OLD.status, NEW.status) NOT IN (
        ('investments_investment', 'pending', 'requires_action'),
        ('investments_investment', 'pending', 'committed'),
        ('investments_investment', 'pending', 'failed'),
        ('investments_investment', 'requires_action', 'committed'),
        ('investments_investment', 'requires_action', 'failed'),
        ('investments_investment', 'committed', 'invested'),
        ('investments_investment', 'committed', 'refunded'),
        ('investments_investment', 'committed', 'cancelled'),
        ('investments_payment', 'pending', 'requires_action'),
        ('investments_payment', 'pending', 'captured'),
        ('investments_payment', 'pending', 'failed'),
        ('investments_payment', 'requires_action', 'captured'),
        ('investments_payment', 'requires_action', 'failed'),
        ('investments_refund', 'pending', 'refunded')
    ) THEN
        RAISE EXCEPTION '% does not go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_profile3_counts"),
        ("investments", "0002_database_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(STEPS, STEPS_BEFORE),
        migrations.AddField(
            model_name="payment",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="investmentevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("placed", "Placed"),
                    ("requires_action", "Requires Action"),
                    ("committed", "Committed"),
                    ("failed", "Failed"),
                    ("withdrawal_requested", "Withdrawal Requested"),
                    ("refund_requested", "Refund Requested"),
                    ("refunded", "Refunded"),
                    ("invested", "Invested"),
                    ("cancelled", "Cancelled"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="retry_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="investment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "requires_action")),
                fields=("campaign", "investor"),
                name="investment_waits_for_its_investor_once_per_campaign",
            ),
        ),
    ]
