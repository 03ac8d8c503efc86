"""Events take the place of the audit log's own table."""

import django.utils.timezone
from django.db import migrations, models

import core.data.ids


class Migration(migrations.Migration):
    dependencies = [("core", "0002_append_only_audit")]
    operations = [
        migrations.RunSQL("DROP TRIGGER audit_entry_is_append_only ON core_auditentry", migrations.RunSQL.noop),
        migrations.DeleteModel(name="AuditEntry"),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("kind", models.CharField(max_length=100)),
                ("subject_type", models.CharField(blank=True, default="", max_length=100)),
                ("subject_id", models.UUIDField(blank=True, null=True)),
                ("actor_id", models.UUIDField(blank=True, null=True)),
                ("actor_label", models.CharField(blank=True, default="", max_length=120)),
                ("facts", models.JSONField(blank=True, default=dict)),
                ("request_id", models.CharField(blank=True, default="", max_length=64)),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subject_id", "id"], name="event_by_subject"),
                    models.Index(fields=["actor_id", "id"], name="event_by_actor"),
                ],
            },
        ),
    ]
