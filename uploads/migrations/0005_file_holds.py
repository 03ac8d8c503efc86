import django.db.models.deletion
from django.db import migrations, models

import core.clock
import core.data.ids


class Migration(migrations.Migration):
    """Files whose bytes stay although their owner deletes them."""

    dependencies = [("uploads", "0004_sizes_above_two_gigabytes")]
    operations = [
        migrations.CreateModel(
            name="FileHold",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holds",
                        to="uploads.storedfile",
                    ),
                ),
                ("holder_id", models.UUIDField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["file", "holder_id"], name="file_is_held_once")],
                "indexes": [models.Index(fields=["holder_id"], name="hold_by_holder")],
            },
        ),
    ]
