"""An event is told a person once, however often its delivery is repeated."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_profile3_wishes")]
    operations = [
        migrations.AddField(model_name="notification", name="event_id", field=models.UUIDField(null=True)),
        migrations.RunSQL("UPDATE notifications_notification SET event_id = id", migrations.RunSQL.noop),
        migrations.AlterField(model_name="notification", name="event_id", field=models.UUIDField()),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(fields=["event_id", "user_id", "kind"], name="an_event_is_told_once"),
        ),
    ]
