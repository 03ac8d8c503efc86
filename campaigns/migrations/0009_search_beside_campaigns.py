"""
What campaigns are found by lies in a table of its own, written when their words change. The rules of a campaign are
checked after its change: a trigger before it would have PostgreSQL compute what the row generates each time.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

KEEP = """
CREATE FUNCTION campaigns_write_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO campaigns_campaignindex (campaign_id, words, grams) VALUES (
        NEW.id,
        setweight(to_tsvector('english', NEW.title), 'A') || setweight(to_tsvector('english', NEW.summary), 'B')
            || setweight(to_tsvector('english', NEW.description), 'C'),
        campaigns_grams(NEW.title, NEW.summary, NEW.description)
    )
    ON CONFLICT (campaign_id) DO UPDATE SET words = excluded.words, grams = excluded.grams;
    RETURN NULL;
END $$;
CREATE TRIGGER campaign_is_indexed AFTER INSERT ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION campaigns_write_index();
CREATE TRIGGER campaign_is_indexed_again AFTER UPDATE OF title, summary, description ON campaigns_campaign
    FOR EACH ROW WHEN ((OLD.title, OLD.summary, OLD.description) IS DISTINCT FROM (NEW.title, NEW.summary, NEW.description))
    EXECUTE FUNCTION campaigns_write_index();

INSERT INTO campaigns_campaignindex (campaign_id, words, grams)
    SELECT id, search, campaigns_grams(title, summary, description) FROM campaigns_campaign;

SET CONSTRAINTS ALL IMMEDIATE;

DROP TRIGGER campaign_keeps_its_rules ON campaigns_campaign;
CREATE TRIGGER campaign_keeps_its_rules AFTER UPDATE ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION campaigns_guard_campaign();
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0008_newest_by_category_and_status")]
    operations = [
        migrations.CreateModel(
            name="CampaignIndex",
            fields=[
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="index",
                        serialize=False,
                        to="campaigns.campaign",
                    ),
                ),
                ("words", django.contrib.postgres.search.SearchVectorField()),
                ("grams", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
            ],
            options={
                "verbose_name_plural": "campaign indexes",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["words"], name="campaign_words", fastupdate=False),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["grams"], name="campaign_grams_by_campaign", fastupdate=False
                    ),
                ],
            },
        ),
        migrations.RunSQL(KEEP),
        migrations.RemoveIndex("campaign", "campaign_search"),
        migrations.RemoveIndex("campaign", "campaign_grams"),
        migrations.RemoveField("campaign", "search"),
    ]
