from django.db import migrations, models

from core.migrations._rules import KEPT_UNTIL_EXPIRY


class Migration(migrations.Migration):
    """Events of some kinds are deleted after their time; of all others nothing changes."""

    dependencies = [("core", "0001_initial")]
    operations = [
        migrations.AddField("event", "expires_at", models.DateTimeField(blank=True, null=True)),
        migrations.RunSQL(KEPT_UNTIL_EXPIRY, migrations.RunSQL.noop),
    ]
