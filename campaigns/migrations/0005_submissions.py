import django.db.models.deletion
from django.db import migrations, models

import core.clock
import core.data.ids
from campaigns.migrations._review_phrases import PHRASES


def add_phrases(apps, schema_editor):
    phrase = apps.get_model("campaigns", "ReviewPhrase")
    phrase.objects.bulk_create(phrase(text=text, position=position) for position, text in enumerate(PHRASES))


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0004_validate_rules_and_sums")]

    reviewed_locks = "RunPython fills a table that this migration makes."

    operations = [
        migrations.CreateModel(
            name="Submission",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("fields", models.JSONField()),
                ("pictures", models.JSONField()),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="submissions",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["campaign", "-id"], name="submission_by_campaign")],
            },
        ),
        migrations.CreateModel(
            name="ReviewPhrase",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("text", models.TextField(max_length=500)),
                ("position", models.PositiveSmallIntegerField(default=0)),
            ],
            options={"verbose_name": "ready-made words", "verbose_name_plural": "ready-made words"},
        ),
        migrations.RunPython(add_phrases, migrations.RunPython.noop),
        migrations.RunSQL(
            """
            CREATE TRIGGER submission_is_not_rewritten BEFORE UPDATE ON campaigns_submission
                FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
            """,
            migrations.RunSQL.noop,
        ),
    ]
