"""How a campaign ended is kept when it is settled, and its money stays within what a column can hold."""

import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

ENDED = """
UPDATE campaigns_campaign campaign SET
    outcome = CASE WHEN status <> 'settled' THEN status ELSE (
        SELECT to_status FROM campaigns_statuschange
        WHERE campaign_id = campaign.id AND to_status IN ('funded', 'failed', 'cancelled') ORDER BY id DESC LIMIT 1
    ) END,
    settled_at = (
        SELECT created_at FROM campaigns_statuschange
        WHERE campaign_id = campaign.id AND to_status = 'settled' ORDER BY id DESC LIMIT 1
    )
WHERE status IN ('funded', 'failed', 'cancelled', 'settled')
"""
RULES = """
CREATE OR REPLACE FUNCTION campaigns_guard_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('draft', 'in_review'),
        ('in_review', 'live'), ('in_review', 'rejected'),
        ('rejected', 'draft'),
        ('live', 'funded'), ('live', 'failed'), ('live', 'cancelled'),
        ('funded', 'settled'), ('failed', 'settled'), ('cancelled', 'settled')
    ) THEN
        RAISE EXCEPTION 'a campaign does not go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_takes_only_the_steps_there_are';
    END IF;
    IF OLD.status NOT IN ('draft', 'in_review', 'rejected') AND
        (NEW.goal_minor, NEW.max_minor, NEW.min_investment_minor, NEW.currency, NEW.starts_at, NEW.ends_at,
         NEW.expected_return_percent, NEW.owner_id)
        IS DISTINCT FROM
        (OLD.goal_minor, OLD.max_minor, OLD.min_investment_minor, OLD.currency, OLD.starts_at, OLD.ends_at,
         OLD.expected_return_percent, OLD.owner_id)
    THEN
        RAISE EXCEPTION 'the terms of a campaign that went live are frozen'
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_terms_freeze_when_it_goes_live';
    END IF;
    IF NEW.status <> OLD.status AND NEW.status IN ('funded', 'failed', 'cancelled') THEN
        NEW.outcome := NEW.status;
    ELSIF NEW.outcome <> OLD.outcome THEN
        RAISE EXCEPTION 'the outcome of a campaign follows its status'
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_outcome_follows_its_status';
    END IF;
    RETURN NEW;
END $$;
"""
RULES_BEFORE = """
CREATE OR REPLACE FUNCTION campaigns_guard_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('draft', 'in_review'),
        ('in_review', 'live'), ('in_review', 'rejected'),
        ('rejected', 'draft'),
        ('live', 'funded'), ('live', 'failed'), ('live', 'cancelled'),
        ('funded', 'settled'), ('failed', 'settled'), ('cancelled', 'settled')
    ) THEN
        RAISE EXCEPTION 'a campaign does not go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_takes_only_the_steps_there_are';
    END IF;
    IF OLD.status NOT IN ('draft', 'in_review', 'rejected') AND
        (NEW.goal_minor, NEW.max_minor, NEW.min_investment_minor, NEW.currency, NEW.starts_at, NEW.ends_at,
         NEW.expected_return_percent, NEW.owner_id)
        IS DISTINCT FROM
        (OLD.goal_minor, OLD.max_minor, OLD.min_investment_minor, OLD.currency, OLD.starts_at, OLD.ends_at,
         OLD.expected_return_percent, OLD.owner_id)
    THEN
        RAISE EXCEPTION 'the terms of a campaign that went live are frozen'
            USING ERRCODE = 'check_violation', TABLE = 'campaigns_campaign', CONSTRAINT = 'campaign_terms_freeze_when_it_goes_live';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_profile3_counts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[("funded", "Funded"), ("failed", "Failed"), ("cancelled", "Cancelled")],
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="settled_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunSQL(ENDED, migrations.RunSQL.noop),
        migrations.RunSQL(RULES, RULES_BEFORE),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("goal_minor__lte", 1000000000000000),
                    (
                        "raised_minor__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.Value(1000000000000000), "-", models.F("reserved_minor")
                        ),
                    ),
                ),
                name="campaign_money_stays_within_its_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["", "funded", "failed", "cancelled"])),
                name="campaign_outcome_is_known",
            ),
        ),
    ]
