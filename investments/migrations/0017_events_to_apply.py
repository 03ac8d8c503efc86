from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("investments", "0016_provider_fees"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="providerevent",
            index=models.Index(
                fields=["created_at"], condition=models.Q(outcome="received"), name="provider_event_to_apply"
            ),
        ),
    ]
