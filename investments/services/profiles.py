"""What an investor declares, answers and acknowledges. Every call adds rows; none is ever changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import User
from campaigns.rules import every_version
from core import events
from core.api import limits
from core.api.limits import Limit
from core.data import sql
from core.data.transactions import retrying
from core.money import Money
from investments.errors import (
    AcknowledgementSuperseded,
    AnswersIncomplete,
    ProfileCurrencyNotSupported,
    UnknownAcknowledgement,
)
from investments.models import Acknowledgement, Figures, Investment, InvestorDeclaration, KnowledgeTry
from investments.texts import Text, current_texts, knowledge_test

DECLARATIONS = Limit("investor-profile", 30, timedelta(hours=1))
TRIES = Limit("knowledge-test", 10, timedelta(days=1))
"""Per person: enough to learn from, too few to find the right answers by trying."""


def profile_currencies() -> list[str]:
    """Those that a rule set counts in."""
    return sorted({rules.currency for rules in every_version().values() if rules.currency})


def save_profile(
    *,
    person: User,
    annual_income: Decimal,
    net_worth: Decimal,
    invested_elsewhere: Decimal,
    currency: str,
    answers: Mapping[str, str] | None = None,
    acknowledgements: Sequence[Mapping[str, str]] = (),
    now: datetime,
) -> None:
    """
    Declare figures (major units, zero or more), and perhaps take the knowledge test and acknowledge texts.

    The declaration is also the loss simulation: its result follows from the net worth.

    :param answers: the id of the chosen option by that of the question; all of them
    :param acknowledgements: `id` and `version` of each text
    :raises ProfileCurrencyNotSupported: no rule set counts in it
    :raises InvalidAmount: more decimals than the currency has, or above the range
    :raises AnswersIncomplete: :raises UnknownAcknowledgement: :raises AcknowledgementSuperseded:
    :raises RateLimited: too many declarations or tries
    """
    if currency not in profile_currencies():
        raise ProfileCurrencyNotSupported(field="currency", currencies=", ".join(profile_currencies()))
    figures = Figures(
        annual_income=_minor(annual_income, currency, "annualIncome"),
        net_worth=_minor(net_worth, currency, "netWorth"),
        invested_elsewhere=_minor(invested_elsewhere, currency, "investedElsewhere"),
        currency=currency,
    )
    if answers is not None:
        _require_complete(answers)
    texts = [text_named(one["id"], one["version"], field="acknowledgements") for one in acknowledgements]
    limits.hit(DECLARATIONS, person.pk)
    if answers is not None:
        limits.hit(TRIES, person.pk)
    _save(person, figures, answers, texts, now)


@retrying
def _save(
    person: User, figures: Figures, answers: Mapping[str, str] | None, texts: Sequence[Text], now: datetime
) -> None:
    declaration = InvestorDeclaration(
        person=person, currency=figures.currency, figures=figures.sealed(), created_at=now
    )
    with sql.together():
        sql.insert(declaration)
        events.record("investor.profile_declared", declaration, actor=person, now=now)
        if answers is not None:
            test = knowledge_test()
            score = test.score(answers)
            tried = KnowledgeTry(
                person=person,
                version=test.version,
                answers=dict(answers),
                score=score,
                pass_percent=test.pass_percent,
                passed=score >= test.pass_percent,
                created_at=now,
            )
            sql.insert(tried)
            events.record("investor.knowledge_tested", tried, actor=person, now=now, passed=tried.passed)
        for text in texts:
            acknowledge(person, text, now=now)


def acknowledge(person: User, text: Text, *, now: datetime, investment: Investment | None = None) -> None:
    """Keep that a person has read and accepted these words, in the caller's transaction."""
    row = Acknowledgement(
        person=person,
        text_id=text.id,
        version=text.version,
        sha256=text.sha256,
        investment=investment,
        created_at=now,
    )
    sql.insert(row)
    events.record("investor.text_acknowledged", row, actor=person, now=now, text=text.id, version=text.version)


def text_named(text_id: str, version: str, *, field: str) -> Text:
    """
    The text that a client means.

    :param field: where it is named, for the refusal
    :raises UnknownAcknowledgement: :raises AcknowledgementSuperseded: its words have changed since
    """
    text = current_texts().get(text_id)
    if text is None:
        raise UnknownAcknowledgement(field=field)
    if version != text.version:
        raise AcknowledgementSuperseded(version=text.version)
    return text


def _require_complete(answers: Mapping[str, str]) -> None:
    """:raises AnswersIncomplete: a question without an answer, or an answer to no question"""
    questions = knowledge_test().questions
    options = {question.id: {option.id for option in question.options} for question in questions}
    if answers.keys() != options.keys() or any(chosen not in options[id] for id, chosen in answers.items()):
        raise AnswersIncomplete(field="answers")


def _minor(amount: Decimal, currency: str, field: str) -> int:
    return Money.of(amount, currency, field).minor if amount else 0
