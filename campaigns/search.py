"""
Finding campaigns by words: PostgreSQL's full text search (English word forms), and beside it an index of grams for
what that cannot see: scripts without spaces between words, parts of words, accents (migration 0005).

A term is found by a word form, by the whole word whatever its case and accents, in the dense scripts by any of its
letters in a row, and in the others by a part of a word of title or summary. All of it comes from two indexes.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchQuery
from django.db.models import Func, QuerySet, TextField, Value
from django.db.models.functions import Concat, StrIndex

from campaigns.models import CampaignIndex, CampaignQuerySet

MAX_TERMS = 10
"""A longer query is looked up as words only: each term costs a few look-ups."""
_DENSE = ((0x0E00, 0x1CFF), (0x2E80, 0xD7FF), (0xF900, 0xFAFF), (0x20000, 0x10FFFF))
"""As `search_is_dense` of the migration."""


_ARRAY: Any = ArrayField(TextField())


class _Grams(Func):
    function = "search_grams"
    output_field = _ARRAY


class _Trigrams(Func):
    function = "search_trigrams"
    output_field = _ARRAY


class _Fold(Func):
    function = "search_fold"
    output_field = TextField()


def matching(campaigns: CampaignQuerySet, q: str) -> CampaignQuerySet:
    """Those of `campaigns` that hold every term of `q`, in the syntax of web searches (`"a phrase" -without or`)."""
    words = _by_words(q, "websearch")
    terms = q.replace('"', " ").split()
    if not _can_be_looked_up_by_term(q, terms):
        return campaigns.filter(pk__in=words)
    by_term = _ids()
    for term in terms:
        by_term = by_term.filter(pk__in=_holding(term))
    return campaigns.filter(pk__in=words.union(by_term))


def _can_be_looked_up_by_term(q: str, terms: list[str]) -> bool:
    """Operators mean something to words only; but quotes around a dense script are as good as none."""
    if not 1 <= len(terms) <= MAX_TERMS or any(term.startswith("-") or term.lower() == "or" for term in terms):
        return False
    return '"' not in q or all(map(_is_dense, terms))


def _ids() -> QuerySet[Any]:
    return CampaignIndex.objects.order_by().values("pk")


def _by_words(text: str, kind: str) -> QuerySet[Any]:
    return _ids().filter(words=SearchQuery(text, search_type=kind, config="english"))


def _holding(term: str) -> QuerySet[Any]:
    """The ids of the campaigns that hold a term."""
    found = [_by_words(term, "plain"), _ids().filter(grams__contains=_Grams(Value(term)))]
    if not _is_dense(term) and len(term) >= 3:
        place = StrIndex(_Fold(Concat("campaign__title", Value(" "), "campaign__summary")), _Fold(Value(term)))
        found.append(_ids().alias(place=place).filter(grams__contains=_Trigrams(Value(term)), place__gt=0))
    return found[0].union(*found[1:])


def _is_dense(term: str) -> bool:
    return any(first <= ord(letter) <= last for letter in term for first, last in _DENSE)
