import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.clock
import core.data.ids
from social.migrations import _rules_posts


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_relations"),
        ("social", "0001_initial"),
        ("uploads", "0002_renditions_and_quota"),
    ]

    operations = [
        migrations.RemoveField(model_name="postmedia", name="alt"),
        migrations.CreateModel(
            name="AuthorCounts",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="post_counts",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("public_posts", models.PositiveIntegerField(default=0)),
                ("followers_posts", models.PositiveIntegerField(default=0)),
            ],
            options={"verbose_name_plural": "author counts"},
        ),
        migrations.CreateModel(
            name="CommentMention",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "comment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mentions",
                        to="social.comment",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="commentmention",
            constraint=models.UniqueConstraint(fields=("comment", "user"), name="comment_mentions_a_person_once"),
        ),
        migrations.AddIndex(
            model_name="reaction",
            index=models.Index(fields=["post", "emoji", "-id"], name="reaction_by_emoji"),
        ),
        migrations.RunSQL(_rules_posts.AUTHOR_COUNTS, migrations.RunSQL.noop),
    ]
