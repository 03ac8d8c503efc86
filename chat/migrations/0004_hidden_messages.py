from django.db import migrations, models


class Migration(migrations.Migration):
    """Messages that moderators hide."""

    dependencies = [("chat", "0003_blocked_pairs_checked")]
    operations = [
        migrations.AddField("message", "hidden_at", models.DateTimeField(blank=True, null=True)),
    ]
