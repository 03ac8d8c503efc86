from django.db import migrations

OWED = """
INSERT INTO investments_settlement (
    id, created_at, updated_at, campaign_id, owner_id, currency, gross_minor, fees_minor, withheld_minor, late_minor,
    paid_minor, status, because, reason, revision
)
SELECT gen_random_uuid(), now(), now(), campaign.id, campaign.owner_id, campaign.currency, campaign.settled_minor, 0, 0, 0,
       0, 'waiting_for_target', '', '', 0
  FROM campaigns_campaign campaign
  JOIN ledger_transaction released ON released.key = format('release:%s', campaign.id)
 WHERE campaign.settled_minor > 0
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    """Campaigns that were released before settlements were kept owe their owners what was released."""

    dependencies = [
        ("investments", "0021_fees_given_back"),
        ("ledger", "0002_seals"),
        ("campaigns", "0013_fee_schedule"),
    ]
    operations = [migrations.RunSQL(OWED, migrations.RunSQL.noop)]
