"""
What somebody types into a search box, and the query that PostgreSQL answers with one index (docs/search.md).

An app keeps a table of what its things are found by: one `tsvector` for each, written by a trigger with
`search_document` or `search_names` (core/migrations/_rules.py). The same functions fold the words of a query.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchQuery, SearchQueryField
from django.db.models import Func, TextField, Value

LONGEST_QUERY = 200
MAX_TERMS = 10
"""A longer query is looked up by word forms only: each term costs a few look-ups."""
_DENSE = re.compile("[\u0e00-\u1cff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")
"""As `search_is_dense` in core/migrations/_rules.py: scripts without spaces between words."""
_CUTS = re.compile("[\\s\u0000-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f\u0300-\u036f]")
"""What belongs to no word, as in `search_words` and `search_fold` there."""


class Breadth(IntEnum):
    """What counts as found, beside word forms and whole words."""

    WORDS = 0
    PARTS = 1
    """Also a part of a word of a name or title."""
    ERRORS = 2
    """Also a word of a name or title that differs by one letter."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query in the syntax of web searches (`"a phrase" -without or`), taken apart."""

    q: str
    terms: tuple[str, ...]
    """What all has to be found, in any order. Empty where only word forms can answer: a phrase, `or`, many terms."""
    without: tuple[str, ...]
    has_words: bool
    """Whether there is anything to look for: not only punctuation, and not only what to leave out."""

    @property
    def parameters(self) -> dict[str, Any]:
        """For a statement of `core.data.statements` that calls `search_query`."""
        return {"q": self.q, "terms": list(self.terms), "without": list(self.without)}


def read_query(q: str) -> Asked:
    """Take apart what somebody typed. A text without any word is no error here."""
    said = q.replace('"', " ").split()
    terms, without = _terms(said)
    has_words = any(map(_has_word, terms))
    is_phrase = '"' in q and not all(map(_DENSE.search, terms))
    if is_phrase or "or" in map(str.lower, terms) or len(said) > MAX_TERMS:
        return Asked(q, (), (), has_words)
    return Asked(q, terms, without, has_words)


def read_name(q: str) -> Asked:
    """As `read_query`, for names: they have no phrases, and `or` is a name as any other."""
    terms, without = _terms(q.replace('"', " ").split()[:MAX_TERMS])
    return Asked("", terms, without, any(map(_has_word, terms)))


def _terms(said: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What has to be there, and what must not."""
    without = tuple(term[1:] for term in said if term.startswith("-") and _has_word(term))
    return tuple(term for term in said if not term.startswith("-")), without


class WordQuery(SearchQuery):
    """The query as a value to compare a `SearchVectorField` with: `filter(words=WordQuery(asked, Breadth.PARTS))`."""

    function = "search_query"

    def __init__(self, asked: Asked, breadth: Breadth) -> None:
        texts = ArrayField(TextField())
        terms = Func(Value(list(asked.terms), texts), Value(int(breadth)), function="search_terms", output_field=texts)
        Func.__init__(self, Value(asked.q), terms, Value(list(asked.without), texts), output_field=SearchQueryField())
        self.invert = False


def _has_word(term: str) -> bool:
    return bool(_CUTS.sub("", unicodedata.normalize("NFKD", term)))
