"""snake_case inside, camelCase in JSON; translated once at the edge."""

from functools import cache


@cache
def to_camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
