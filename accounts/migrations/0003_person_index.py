import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.migrations import _rules_index


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_relations"), ("core", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="PersonIndex",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="index",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("words", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "verbose_name_plural": "person indexes",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=["words"], name="person_words"),
                ],
            },
        ),
        migrations.RunSQL(_rules_index.INDEX, migrations.RunSQL.noop),
    ]
