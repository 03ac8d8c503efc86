from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("investments", "0019_disputes"),
    ]

    operations = [
        migrations.AddField(
            model_name="settlementpayment",
            name="digest",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="settlementpayment",
            name="people_needed",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
    ]
