"""What clients send about groups."""

from rest_framework.fields import BooleanField, ChoiceField, FileField

from accounts.inputs.fields import AddressField
from core.api.serializers import IdField, LineField, ProseField, Serializer
from social.models import Group, Membership

MAX_CHARACTERS = 5000


class GroupInput(Serializer):
    name = LineField(max_length=100)
    description = ProseField(max_length=MAX_CHARACTERS, required=False, allow_blank=True)
    join_policy = ChoiceField(choices=Group.JoinPolicy.choices)
    cover_image = FileField(required=False)
    profile_image = FileField(required=False)


class NewGroupInput(GroupInput):
    visibility = ChoiceField(choices=Group.Visibility.choices)


class GroupQuery(Serializer):
    member = BooleanField(required=False, help_text="Only those that I am a member of.")


class MemberQuery(Serializer):
    role = ChoiceField(choices=Membership.Role.choices, required=False)


class RoleInput(Serializer):
    role = ChoiceField(choices=Membership.Role.choices)


class DecisionInput(Serializer):
    decision = ChoiceField(choices=["approve", "reject"])


class GroupInvitationInput(Serializer):
    user_id = IdField(required=False, default=None, help_text="Somebody with an account; or else:")
    email = AddressField(required=False, default="", help_text="Whoever has this address, with an account or without.")
