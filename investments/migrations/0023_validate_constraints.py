from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

CONSTRAINTS = (
    ("providerevent", "provider_event_outcome_is_known"),
    ("payment", "payment_fee_is_not_negative"),
    ("refund", "refund_fee_is_not_negative"),
    ("distributioncharge", "distribution_charge_status_is_known"),
    ("payment", "payment_holds_no_less_than_nothing"),
    ("refund", "refund_status_is_known"),
    ("settlement", "settlement_pays_no_more_than_was_released"),
)


class Migration(migrations.Migration):
    """What was added without looking at the rows that were there."""

    dependencies = [("investments", "0022_settlements_of_released")]
    operations = [ValidateConstraint(model, name) for model, name in CONSTRAINTS]
