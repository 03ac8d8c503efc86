"""What posts, groups and channels are found by (`core.search`). Triggers write it (migrations/_rules_search.py)."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from social.models.channels import Channel
from social.models.groups import Group
from social.models.posts import Post


class PostIndex(models.Model):
    """
    The words of a post that has some. Posts are numbered, and the number is in `words` too, rounded down: a word that
    is in every post is looked for among the newest first, and no further than needed (`social_matching_posts`).
    """

    post = models.OneToOneField(Post, on_delete=models.CASCADE, primary_key=True, related_name="index")
    number = models.BigIntegerField()
    words = SearchVectorField()

    class Meta:
        verbose_name_plural = "post indexes"
        indexes = [GinIndex(fields=["words"], name="post_words", fastupdate=False)]

    def __str__(self) -> str:
        return str(self.post_id)


class GroupIndex(models.Model):
    group = models.OneToOneField(Group, on_delete=models.CASCADE, primary_key=True, related_name="index")
    words = SearchVectorField()

    class Meta:
        verbose_name_plural = "group indexes"
        indexes = [GinIndex(fields=["words"], name="group_words", fastupdate=False)]

    def __str__(self) -> str:
        return str(self.group_id)


class ChannelIndex(models.Model):
    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, primary_key=True, related_name="index")
    words = SearchVectorField()

    class Meta:
        verbose_name_plural = "channel indexes"
        indexes = [GinIndex(fields=["words"], name="channel_words", fastupdate=False)]

    def __str__(self) -> str:
        return str(self.channel_id)


class KnownWord(models.Model):
    """
    A word that at least two of the newest public posts have, so that the beginning of a word, or a word with a typing
    error, finds posts. `social.learn_words` keeps the table.
    """

    word = models.CharField(max_length=30, primary_key=True, db_collation="C")
    posts_count = models.PositiveIntegerField()
    """In how many of the posts that were read it is."""
    variants = models.GeneratedField(
        expression=models.Func("word", function="search_variants"),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    class Meta:
        indexes = [GinIndex(fields=["variants"], name="known_word_variants", fastupdate=False)]

    def __str__(self) -> str:
        return self.word
