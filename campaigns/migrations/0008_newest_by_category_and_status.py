"""Lists of one category or one status, newest first, come from an index of their own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0007_search_index")]

    operations = [
        migrations.AlterField(
            model_name="campaign",
            name="category",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="campaigns",
                to="campaigns.category",
            ),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(fields=["category", "-created_at", "-id"], name="campaign_by_category"),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(fields=["status", "-created_at", "-id"], name="campaign_by_status"),
        ),
    ]
