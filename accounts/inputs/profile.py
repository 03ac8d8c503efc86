"""What clients send to change a profile."""

from rest_framework.fields import BooleanField, CharField, FileField

from accounts.inputs.fields import AddressField, LinkField, NameField, PhoneField
from core.api.serializers import ProseField, Serializer


class ProfileInput(Serializer):
    """Any subset."""

    first_name = NameField()
    last_name = NameField(allow_blank=True)
    phone_number = PhoneField(allow_blank=True)
    bio = ProseField(max_length=2000, allow_blank=True)
    location = NameField(max_length=120, allow_blank=True)
    website = LinkField(max_length=300, allow_blank=True)
    shows_backed_campaigns = BooleanField(
        required=False,
        help_text="Suggest me to others who back the same campaigns and show it too. Off until it is switched on.",
    )


class PhotoInput(Serializer):
    photo = FileField()


class CoverInput(Serializer):
    cover = FileField()


class InviteInput(Serializer):
    email = AddressField()


class PhoneCodeInput(Serializer):
    code = CharField(max_length=20)
