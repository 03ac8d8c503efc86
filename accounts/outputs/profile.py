"""A profile, its link, invitations."""

from rest_framework.fields import CharField, IntegerField, ListField, UUIDField

from accounts.outputs.people import MeOutput
from core.api.serializers import Serializer


class InvitedOutput(Serializer):
    message = CharField()
    invitation_id = UUIDField()


class ShareOutput(Serializer):
    link = CharField(help_text="A public page of the profile.")


class PictureSizes(Serializer):
    large = CharField()
    medium = CharField()
    small = CharField()


class ProfileOutput(MeOutput):
    profile_photo_sizes = PictureSizes(allow_null=True)
    cover_photo_sizes = PictureSizes(allow_null=True)
    followers_count = IntegerField()
    following_count = IntegerField()
    posts_count = IntegerField()
    campaigns_count = IntegerField()
    badges = ListField(child=CharField())
