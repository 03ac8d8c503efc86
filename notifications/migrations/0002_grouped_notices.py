"""Whose act an entry is about, and the groups of grouped notices."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import core.clock
import core.data.ids


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("notifications", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="NoticeGroup",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("user_id", models.UUIDField()),
                ("kind", models.CharField(max_length=60)),
                ("about", models.CharField(blank=True, max_length=200)),
                ("generation", models.PositiveIntegerField(default=0)),
                ("entry_id", models.UUIDField(blank=True, null=True)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("shown_at", models.DateTimeField(blank=True, null=True)),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="notice_group_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("user_id", "kind", "about"), name="notice_group_is_one_per_subject")
                ],
            },
        ),
        migrations.CreateModel(
            name="NoticeItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user_id", models.UUIDField()),
                ("actor_id", models.UUIDField()),
                ("item", models.CharField(max_length=200)),
                ("event_id", models.UUIDField()),
                ("data", models.JSONField(default=dict)),
                ("done_at", models.DateTimeField()),
                ("withdrawn", models.BooleanField(default=False)),
                ("generation", models.PositiveIntegerField(blank=True, null=True)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "group",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="notifications.noticegroup",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["group", "generation"], name="notice_item_of_generation"),
                    models.Index(fields=["actor_id", "user_id"], name="notice_item_by_actor"),
                ],
                "constraints": [models.UniqueConstraint(fields=("group", "item"), name="notice_item_counts_once")],
            },
        ),
        migrations.AddField("notification", "actor_id", models.UUIDField(blank=True, null=True)),
        migrations.AddField("notification", "group_key", models.UUIDField(blank=True, null=True)),
        migrations.AddField("notification", "supersedes", models.UUIDField(blank=True, null=True)),
        AddIndexConcurrently(
            "notification",
            models.Index(
                condition=models.Q(("actor_id__isnull", False)),
                fields=["actor_id", "user_id"],
                name="notification_by_actor",
            ),
        ),
        AddIndexConcurrently(
            "notification",
            models.Index(
                condition=models.Q(("group_key__isnull", False)), fields=["group_key"], name="notification_of_group"
            ),
        ),
    ]
