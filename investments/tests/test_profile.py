"""What an investor declares, answers and acknowledges, through the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.models import Event
from core.testing import Api
from investments.models import Acknowledgement, Investment, InvestorDeclaration, KnowledgeTry
from investments.testing import accept_documents, declare_profile, make_card
from investments.tests.conftest import invest_url, refusal
from investments.texts import current_texts, knowledge_test

URL = "/api/investments/profile"
RIGHT = {question.id: question.right for question in knowledge_test().questions}


def wrong(count: int) -> dict[str, str]:
    """Answers of which that many are wrong."""
    answers = dict(RIGHT)
    for question in knowledge_test().questions[:count]:
        answers[question.id] = next(option.id for option in question.options if option.id != question.right)
    return answers


def figures(**changes: Any) -> dict[str, Any]:
    sent = {"annualIncome": "60000.00", "netWorth": "40000", "investedElsewhere": "0", "currency": "EUR"}
    return {**sent, **changes}


def named(text_id: str) -> dict[str, str]:
    return {"id": text_id, "version": current_texts()[text_id].version}


def put(api: Api, who: User, **changes: Any) -> Any:
    return api.as_user(who).put(URL, figures(**changes))


def test_a_profile_from_nothing_to_complete(api: Api, backer: User, stranger: User) -> None:
    empty = api.as_user(backer).get(URL).json()
    assert (empty["annualIncome"], empty["currency"], empty["knowledgeTest"], empty["lossSimulation"]) == (None,) * 4
    assert {text["id"] for text in empty["texts"]} == current_texts().keys()
    assert len(empty["questions"]) == len(RIGHT)
    assert set(empty["questions"][0]) == {"id", "text", "options"}
    answer = put(api, backer, answers=RIGHT, acknowledgements=[named("education")])
    body = answer.json()
    assert answer.status_code == 200
    assert (body["annualIncome"], body["netWorth"], body["investedElsewhere"]) == ("60000.00", "40000.00", "0.00")
    assert (body["knowledgeTest"]["passed"], body["knowledgeTest"]["score"]) == (True, 100)
    assert body["lossSimulation"]["amount"] == "4000.00"
    assert [one["id"] for one in body["acknowledgements"]] == ["education"]
    assert body["acknowledgements"][0]["sha256"] == current_texts()["education"].sha256
    assert api.as_user(stranger).get(URL).json()["annualIncome"] is None
    assert "right" not in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"annualIncome": "-1"}, "annualIncome", "invalid_amount"),
        ({"annualIncome": "1e6"}, "annualIncome", "invalid_amount"),
        ({"annualIncome": "NaN"}, "annualIncome", "invalid_amount"),
        ({"annualIncome": True}, "annualIncome", "invalid_amount"),
        ({"annualIncome": "-0"}, "annualIncome", "invalid_amount"),
        ({"annualIncome": "\uff11\uff10"}, "annualIncome", "invalid_amount"),
        ({"annualIncome": "1.001"}, "annualIncome", "invalid_amount"),
        ({"netWorth": "9" * 39}, "netWorth", "invalid_amount"),
        ({"netWorth": "10000000000000.01"}, "netWorth", "invalid_amount"),
        ({"netWorth": "10000000000001"}, "netWorth", "invalid_amount"),
        ({"investedElsewhere": None}, "investedElsewhere", "null"),
        ({"currency": "XXX"}, "currency", "invalid_choice"),
        ({"currency": "JPY"}, "currency", "profile_currency_not_supported"),
        ({"currency": "KWD"}, "currency", "profile_currency_not_supported"),
        ({"answers": {}}, "answers", "answers_incomplete"),
        ({"answers": {**RIGHT, "loan": "nonsense"}}, "answers", "answers_incomplete"),
        ({"answers": {**RIGHT, "more": "yes"}}, "answers", "answers_incomplete"),
        ({"answers": "all"}, "answers", "not_a_dict"),
        ({"acknowledgements": [{"id": "nothing", "version": "1"}]}, "acknowledgements", "unknown_acknowledgement"),
    ],
)
def test_what_is_refused_and_leaves_nothing(
    api: Api, backer: User, changes: dict[str, Any], field: str, expected: str
) -> None:
    answer = put(api, backer, **changes)
    assert answer.status_code == 400
    assert (field, expected) in {(one["field"], one["code"]) for one in answer.json()["errors"]}, answer.json()
    assert not InvestorDeclaration.objects.exists()
    assert not KnowledgeTry.objects.exists()
    assert not Acknowledgement.objects.exists()


def test_zeros_are_honest_and_all_figures_are_needed(api: Api, backer: User) -> None:
    assert put(api, backer, annualIncome=0, netWorth="0.00", investedElsewhere=0).status_code == 200
    assert api.as_user(backer).put(URL, {"annualIncome": "1", "currency": "USD"}).status_code == 400


def test_an_old_wording_is_refused(api: Api, backer: User) -> None:
    answer = put(api, backer, acknowledgements=[{"id": "education", "version": "2020-01-01"}])
    assert refusal(answer) == (409, "acknowledgement_superseded")
    assert answer.json()["version"] == current_texts()["education"].version
    assert not InvestorDeclaration.objects.exists()


def test_figures_are_sealed_and_in_no_event(api: Api, backer: User) -> None:
    put(api, backer, netWorth="1234567.89")
    with connection.cursor() as cursor:
        cursor.execute("SELECT figures FROM investments_investordeclaration")
        sealed = bytes(cursor.fetchone()[0])
    assert b"123456789" not in sealed
    assert "123456789" not in str(list(Event.objects.values_list("facts", flat=True)))
    (declaration,) = InvestorDeclaration.objects.all()
    opened = declaration.open()
    assert opened is not None
    assert opened.net_worth == 1234567_89
    assert "123456789" not in repr(opened)


def test_rows_are_not_rewritten(api: Api, backer: User) -> None:
    put(api, backer, answers=RIGHT, acknowledgements=[named("education")])
    for model, change in ((InvestorDeclaration, "currency"), (KnowledgeTry, "version"), (Acknowledgement, "version")):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            model._default_manager.update(**{change: "USD"})
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Acknowledgement.objects.all().delete()


def test_tries_are_limited(api: Api, backer: User) -> None:
    for _ in range(10):
        assert put(api, backer, answers=wrong(1)).status_code == 200
    assert put(api, backer, answers=RIGHT).status_code == 429
    assert put(api, backer).status_code == 200
    assert KnowledgeTry.objects.count() == 10


# --- Investing in a campaign of the European Union ------------------------------------------------------------------


@pytest.fixture
def european(founder: User) -> Campaign:
    return make_european(founder)


def make_european(founder: User) -> Campaign:
    return make_campaign(
        founder, rules="eu_ecspr", currency="EUR", country="DE", time_zone="Europe/Berlin", goal_amount="5000",
        max_amount="20000",
    )  # fmt: skip


def ask(api: Api, who: User, campaign: Campaign, amount: str, **more: Any) -> Any:
    accept_documents(who, campaign)
    body = {"amount": amount, "paymentMethodId": str(make_card(who).pk), **more}
    return api.as_user(who).post(invest_url(campaign), body)


def test_from_the_test_to_an_investment(api: Api, backer: User, european: Campaign) -> None:
    assert refusal(ask(api, backer, european, "100")) == (403, "knowledge_test_required")
    put(api, backer, answers=RIGHT)
    assert ask(api, backer, european, "2000").status_code == 200
    warned = ask(api, backer, european, "2000.01")
    assert refusal(warned) == (403, "warning_consent_required")
    warning = warned.json()["warning"]
    assert warned.json()["above"] == "2000.00"
    accepted = [{"id": warning["id"], "version": warning["version"]}]
    done = ask(api, backer, european, "2000.01", acceptedWarnings=accepted)
    assert done.status_code == 200
    kept = Acknowledgement.objects.get(text_id="large_investment")
    assert (str(kept.investment_id), kept.sha256) == (done.json()["id"], warning["sha256"])
    again = ask(api, backer, european, "2000.01")
    assert refusal(again) == (403, "warning_consent_required")
    old = [{"id": warning["id"], "version": "2020-01-01"}]
    assert refusal(ask(api, backer, european, "2000.01", acceptedWarnings=old)) == (409, "acknowledgement_superseded")
    unknown = [{"id": "nothing", "version": "1"}]
    assert refusal(ask(api, backer, european, "10", acceptedWarnings=unknown)) == (400, "unknown_acknowledgement")
    assert Investment.objects.count() == 2


def test_a_failed_test_does_not_block_for_ever(api: Api, backer: User, european: Campaign) -> None:
    shown = put(api, backer, answers=wrong(3)).json()["knowledgeTest"]
    assert (shown["passed"], shown["score"], shown["passScore"]) == (False, 62, 75)
    refused = ask(api, backer, european, "100")
    assert refusal(refused) == (403, "acknowledgement_required")
    assert [one["id"] for one in refused.json()["acknowledgements"]] == ["knowledge_warning"]
    put(api, backer, acknowledgements=[named("knowledge_warning")])
    assert ask(api, backer, european, "100").status_code == 200
    put(api, backer, answers=wrong(4))
    assert refusal(ask(api, backer, european, "100")) == (403, "acknowledgement_required")
    put(api, backer, answers=wrong(2))
    assert ask(api, backer, european, "100").status_code == 200


def test_after_a_year_the_loss_simulation_is_made_again(
    api: Api, backer: User, founder: User, european: Campaign, time_machine: TimeMachineFixture
) -> None:
    declared = put(api, backer, answers=RIGHT).json()
    time_machine.move_to(timezone.now() + timedelta(days=366))
    later = make_european(founder)
    assert refusal(ask(api, backer, later, "100")) == (403, "loss_simulation_required")
    renewed = put(api, backer).json()
    assert renewed["lossSimulation"]["validUntil"] > declared["lossSimulation"]["validUntil"]
    assert ask(api, backer, later, "100").status_code == 200


def test_sophisticated_investors_are_not_asked(api: Api, backer: User, european: Campaign) -> None:
    User.objects.filter(pk=backer.pk).update(badges=["accredited_investor"])
    assert ask(api, backer, european, "9000").status_code == 200


@pytest.mark.parametrize(("currency", "goal", "amount"), [("JPY", "5000", "500"), ("KWD", "100", "10.125")])
def test_without_a_law_any_currency_goes(
    api: Api, backer: User, founder: User, currency: str, goal: str, amount: str
) -> None:
    campaign = make_campaign(founder, currency=currency, goal_amount=goal)
    assert ask(api, backer, campaign, amount).status_code == 200


def test_an_export_has_the_figures_and_erasure_takes_them(backer: User) -> None:
    from investments.privacy import declarations_of, delete_declarations

    declare_profile(backer)
    assert [row["netWorthMinor"] for row in declarations_of(backer.pk)] == [50_000_00]
    delete_declarations(person_id=backer.pk, now=timezone.now())
    assert list(declarations_of(backer.pk)) == []
