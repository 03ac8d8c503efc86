from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations
from django.db.models import Func


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("campaigns", "0006_search_parts_of_words")]
    operations = [
        AddIndexConcurrently(
            "campaign",
            GinIndex(Func("title", "summary", "description", function="campaigns_grams"), name="campaign_grams"),
        ),
        # ANALYZE would compute the function for each row of its sample, and we need no statistics of it.
        migrations.RunSQL(
            "ALTER INDEX campaign_grams ALTER COLUMN 1 SET STATISTICS 0",
            migrations.RunSQL.noop,
        ),
    ]
