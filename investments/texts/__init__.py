"""
What investors read and answer before they invest: acknowledgements, warnings, and the entry knowledge test, as data.

A text is never changed: a new wording is a further entry with a later version, and what people have acknowledged stays
readable by the hash of their version. Defaults for operators, not legal advice (docs/eligibility.md).
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from campaigns.rules import Rules

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Text:
    id: str
    version: str
    """The day from which on it is used, `YYYY-MM-DD`."""
    rules: Rules
    rule: str
    """The rule of that set that asks for it."""
    source: str
    text: str

    @property
    def sha256(self) -> str:
        """Of its words in UTF-8, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    text: str
    options: tuple[Option, ...]
    right: str = field(repr=False)
    """The id of the right option; never leaves the platform."""


@dataclass(frozen=True, slots=True)
class KnowledgeTest:
    version: str
    pass_percent: int
    questions: tuple[Question, ...]

    def score(self, answers: Mapping[str, str]) -> int:
        """The share of right answers in percent, cut to a whole number."""
        right = sum(answers.get(question.id) == question.right for question in self.questions)
        return right * 100 // len(self.questions)


@cache
def every_text() -> tuple[Text, ...]:
    """All texts in all their versions."""
    data = tomllib.loads((_DATA / "acknowledgements.toml").read_text(encoding="utf-8"))
    return tuple(
        Text(one["id"], one["version"], Rules(one["rules"]), one["rule"], one["source"], one["text"].strip())
        for one in data["texts"]
    )


@cache
def current_texts() -> Mapping[str, Text]:
    """The latest version of each text, by its id."""
    return {one.id: one for one in sorted(every_text(), key=lambda one: one.version)}


@cache
def knowledge_test() -> KnowledgeTest:
    """The latest version of the entry knowledge test."""
    path = max(_DATA.glob("knowledge_test-*.toml"))
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    questions = tuple(
        Question(
            id=one["id"],
            text=one["text"],
            options=tuple(Option(id, text) for id, text in one["options"].items()),
            right=one["right"],
        )
        for one in data["questions"]
    )
    return KnowledgeTest(data["version"], data["pass_percent"], questions)
