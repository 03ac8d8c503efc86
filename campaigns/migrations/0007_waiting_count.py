from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0006_updates")]
    operations = [
        migrations.AddField("campaign", "waiting_count", models.PositiveIntegerField(db_default=0, default=0)),
    ]
