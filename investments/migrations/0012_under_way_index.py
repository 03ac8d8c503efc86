from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("investments", "0011_fee_lines")]
    operations = [
        AddIndexConcurrently(
            "investment",
            models.Index(
                condition=models.Q(("status__in", ["pending", "requires_action"])),
                fields=["investor"],
                name="investment_under_way",
            ),
        ),
    ]
