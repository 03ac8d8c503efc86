from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

CONSTRAINTS = (
    "campaign_rules_are_known",
    "campaign_settles_no_more_than_it_raised",
    "campaign_offers_stay_within_the_cap",
    "campaign_keeps_the_version_of_its_rules",
)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_rules_and_sums")]
    operations = [ValidateConstraint("campaign", name) for name in CONSTRAINTS]
