"""Whether a direct conversation is hidden because one of its pair blocks the other."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial"), ("accounts", "0002_relations")]

    operations = [
        migrations.AddField("conversation", "is_blocked", models.BooleanField(db_default=False, default=False)),
        AddConstraintNotValid(
            "conversation",
            models.CheckConstraint(
                condition=models.Q(("type", "direct"), ("is_blocked", False), _connector="OR"),
                name="only_a_pair_is_blocked",
            ),
        ),
    ]
