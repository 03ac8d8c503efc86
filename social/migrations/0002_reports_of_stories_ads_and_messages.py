from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("social", "0001_initial")]
    operations = [
        migrations.AddField("ad", "hidden_at", models.DateTimeField(blank=True, null=True)),
        migrations.AlterField(
            "case",
            "target_type",
            models.CharField(
                choices=[
                    ("post", "Post"),
                    ("comment", "Comment"),
                    ("user", "Person"),
                    ("group", "Group"),
                    ("channel", "Channel"),
                    ("campaign", "Campaign"),
                    ("story", "Story"),
                    ("ad", "Ad"),
                    ("message", "Message"),
                ],
                max_length=8,
            ),
        ),
    ]
