from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("core", "0002_events_with_a_kept_time")]
    operations = [
        AddIndexConcurrently(
            "event",
            models.Index(
                condition=models.Q(("expires_at__isnull", False)), fields=["expires_at"], name="event_by_expiry"
            ),
        ),
    ]
