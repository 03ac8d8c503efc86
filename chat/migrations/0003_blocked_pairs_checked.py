from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_blocked_pairs")]

    operations = [ValidateConstraint("conversation", "only_a_pair_is_blocked")]
