"""What clients ask of reactions."""

from rest_framework.fields import CharField

from core.api.serializers import Serializer


class ReactionsQuery(Serializer):
    emoji = CharField(max_length=100, required=False, help_text="Only those with this emoji.")
