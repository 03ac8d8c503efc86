"""What clients send about posts."""

from rest_framework.fields import ChoiceField, FileField, ListField

from core.api.serializers import IdField, LineField, ProseField, Serializer
from social.models import Post

MAX_CHARACTERS = 5000
MAX_MEDIA = 5


class PostInput(Serializer):
    content = ProseField(max_length=MAX_CHARACTERS, required=False, allow_blank=True, default="")
    media = ListField(child=FileField(), required=False, default=list, max_length=MAX_MEDIA)
    media_alt = ListField(
        child=LineField(max_length=1000, allow_blank=True),
        required=False,
        default=list,
        max_length=MAX_MEDIA,
        help_text="What each picture shows, in words, in the order of `media`.",
    )
    visibility = ChoiceField(choices=Post.Visibility.choices, required=False, help_text="`public` if absent.")
    group_id = IdField(required=False, default=None)
    channel_id = IdField(required=False, default=None)
    campaign_id = IdField(required=False, default=None)


class EditInput(Serializer):
    content = ProseField(max_length=MAX_CHARACTERS, allow_blank=True)
    media_alt = ListField(
        child=LineField(max_length=1000, allow_blank=True),
        max_length=MAX_MEDIA,
        help_text="What each picture shows, in words, in the order of `media`.",
    )
    visibility = ChoiceField(choices=Post.Visibility.choices)


class TagQuery(Serializer):
    tag = LineField(max_length=200, help_text="A hashtag, with or without its number sign.")
