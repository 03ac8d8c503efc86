"""What clients send to search."""

from rest_framework.fields import ChoiceField

from core.api.serializers import LineField, Serializer
from core.search import LONGEST_QUERY
from social.outputs.search import Kind


class SearchQuery(Serializer):
    q = LineField(max_length=LONGEST_QUERY, help_text='Words, in any order; `#tag`, `-without`, `"a phrase"`.')
    type = ChoiceField(choices=[kind.value for kind in Kind])
