"""What clients send to set up and use the second factor."""

from accounts.inputs.fields import CodeField
from core.api.serializers import Serializer


class CodeInput(Serializer):
    code = CodeField()
