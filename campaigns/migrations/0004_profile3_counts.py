"""Tell profiles how many campaigns each person has; from here on `services.drafts` does."""

from django.db import migrations

COUNT = """
INSERT INTO accounts_profile (user_id, version, followers_count, following_count, posts_count, campaigns_count)
SELECT owner_id, 1, 0, 0, 0, count(*) FROM campaigns_campaign GROUP BY owner_id
ON CONFLICT (user_id) DO UPDATE SET campaigns_count = excluded.campaigns_count
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_categories"), ("accounts", "0004_profile3_profiles")]
    operations = [migrations.RunSQL(COUNT, migrations.RunSQL.noop)]
